using Orchestrator.V1;

namespace Orchestrator.Cli.Demo;

/// <summary>A number of tasks that the demo runs in each placement.</summary>
internal sealed record Workload(string Name, IReadOnlyList<TaskSpec> Tasks)
{
    /// <summary>The approximate duration of one task: long enough to see, short enough to run in each placement.</summary>
    public static readonly TimeSpan TaskTime = TimeSpan.FromMilliseconds(50);

    private const int Count = 40;

    public static Workload[] Create(long samples)
    {
        var cpu = Enumerable.Range(0, Count).Select(i => Cpu(samples, i)).ToArray();
        var io = Enumerable.Range(0, Count).Select(_ => Io()).ToArray();
        return
        [
            new("CPU-bound", cpu),
            new("IO-bound", io),
            // Alternating kinds, so that a placement that is slow for one kind also delays the other.
            new("the mix", [.. Enumerable.Range(0, Count).Select(i => i % 2 == 0 ? cpu[i] : io[i])]),
        ];
    }

    public static TaskSpec Cpu(long samples, int seed) => new()
    {
        Handler = "monte_carlo_pi",
        Input = Payloads.FromJson($$"""{"samples": {{samples}}, "seed": {{seed + 1}}}"""),
    };

    private static TaskSpec Io() => new()
    {
        Handler = "sleep",
        Input = Payloads.FromJson($$"""{"ms": {{(int)TaskTime.TotalMilliseconds}}}"""),
    };
}

/// <summary>A way of running a workload.</summary>
internal sealed record Contender(string Name, Placement Placement)
{
    public static readonly Contender[] All =
    [
        new("sequential", Placement.InProcessSequential),
        new("threads", Placement.InProcessThreads),
        new("async", Placement.InProcessAsync),
        new("cross-process", Placement.WorkerProcess),
    ];
}

/// <summary>The time that a workload took in a placement.</summary>
internal sealed record Heat(Workload Workload, Contender Contender, TimeSpan Elapsed)
{
    public double PerSecond => Workload.Tasks.Count / Elapsed.TotalSeconds;
}
