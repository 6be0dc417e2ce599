using Orchestrator.Client;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Scale;

/// <summary>
/// Tasks that wait in the queue, since another holds the only thread for their kind; the measured ones have a lane of their own.
/// </summary>
internal sealed class TaskScale : ScaleLoad
{
    private const int Batch = 1_000;
    private const string Hour = """{"ms": 3600000}""";

    private readonly ScaleRun _run;
    private readonly TaskSpec _waiting = new() { Handler = "blocking_sleep", Input = Payloads.FromJson(Hour) };
    private int _size;

    private TaskScale(ScaleRun run)
    {
        _run = run;
        var client = run.Client.Contract;
        var echo = new TaskSpec { Handler = "echo", Input = Payloads.FromJson("1") };
        Operations =
        [
            ScaleOperation.OneAtATime("run a task", () => client.RunTaskAsync(echo, cancellationToken: run.Token)),
            ScaleOperation.OneAtATime("submit and cancel a task", async () =>
            {
                var id = (await client.SubmitAsync([_waiting], run.Token)).Single();
                await client.CancelAsync([id], cancellationToken: run.Token);
            }),
            ScaleOperation.OneAtATime("list ten tasks", () => client.ListTasksAsync(new ListTasksRequest { PageSize = 10 }, run.Token)),
        ];
    }

    public override IReadOnlyList<ScaleOperation> Operations { get; }

    public static async Task<ScaleLoad> CreateAsync(ScaleRun run)
    {
        var load = new TaskScale(run);
        await run.Client.Contract.SubmitAsync([load._waiting], run.Token);
        return load;
    }

    public override async Task GrowAsync(int size)
    {
        var batches = Enumerable.Range(0, (size - _size) / Batch);
        await Parallel.ForEachAsync(
            batches, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = _run.Token },
            async (_, token) => await _run.Client.Contract.SubmitAsync(Enumerable.Repeat(_waiting, Batch), token));
        _size = size;
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
