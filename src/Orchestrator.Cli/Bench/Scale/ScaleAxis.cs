using Orchestrator.Client;

namespace Orchestrator.Cli.Bench.Scale;

/// <summary>One number that may grow, and the operations whose cost should not grow with it.</summary>
/// <param name="Key">How it is chosen.</param>
/// <param name="What">What is counted.</param>
/// <param name="Sizes">The counts, ascending.</param>
/// <param name="CreateAsync">Prepares it in an empty coordinator.</param>
internal sealed record ScaleAxis(string Key, string What, IReadOnlyList<int> Sizes, Func<ScaleRun, Task<ScaleLoad>> CreateAsync)
{
    private static readonly int[] Thousands = [1_000, 10_000, 100_000, 1_000_000];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<ScaleAxis> All { get; } =
    [
        new("tasks", "tasks queued", Thousands, TaskScale.CreateAsync),
        new("objects", "objects", Thousands, ObjectScale.CreateAsync),
        new("clients", "clients", [1, 2, 5, 10, 20, 50, 100, 200], ClientScale.CreateAsync),
        new("workers", "workers", [1, 2, 4, 8, 16, 32, 64], WorkerScale.CreateAsync),
        new("watchers", "watchers", [1, 10, 100, 1_000], WatcherScale.CreateAsync),
    ];
}

/// <summary>What an axis does in its coordinator.</summary>
internal abstract class ScaleLoad : IAsyncDisposable
{
    /// <summary>Grows to a count that is larger than the last.</summary>
    public abstract Task GrowAsync(int size);

    /// <summary>The operations to measure.</summary>
    public abstract IReadOnlyList<ScaleOperation> Operations { get; }

    public abstract ValueTask DisposeAsync();
}

/// <summary>An operation to measure.</summary>
/// <param name="Name">What it is.</param>
/// <param name="RunAsync">Repeats it until the time is over; returns how often.</param>
internal sealed record ScaleOperation(string Name, Func<TimeSpan, Task<long>> RunAsync)
{
    /// <summary>One call after the other.</summary>
    public static ScaleOperation OneAtATime(string name, Func<Task> call) => new(name, async time =>
    {
        var count = 0L;
        var start = TimeProvider.System.GetTimestamp();
        do
        {
            await call();
            count++;
        }
        while (TimeProvider.System.GetElapsedTime(start) < time);
        return count;
    });
}

/// <summary>The coordinator of one axis.</summary>
/// <param name="Coordinator">Its process.</param>
/// <param name="Client">A connection to it.</param>
/// <param name="Token">Gives up.</param>
internal sealed record ScaleRun(ScaleCoordinator Coordinator, OrchestratorClient Client, CancellationToken Token);
