using Orchestrator.Cli.Bench.Load;
using Orchestrator.Client;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Scale;

/// <summary>Worker processes, of which tiny tasks need few.</summary>
internal sealed class WorkerScale : ScaleLoad
{
    private const int InFlight = 4_096;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly ScaleRun _run;

    private WorkerScale(ScaleRun run)
    {
        _run = run;
        var echo = new TaskSpec { Handler = "echo", Input = Payloads.FromJson("1") };
        Operations =
        [
            ScaleOperation.OneAtATime("run a task", () => run.Client.Contract.RunTaskAsync(echo, cancellationToken: run.Token)),
            new("a task of a stream", async time =>
            {
                var loop = new TaskStreamLoop([run.Client], new TaskLoad(echo.Handler, echo.Input, null), InFlight);
                return (await loop.RunAsync(new RoundPlan(time, 0), run.Token)).Latency.Count;
            }),
        ];
    }

    public override IReadOnlyList<ScaleOperation> Operations { get; }

    public static Task<ScaleLoad> CreateAsync(ScaleRun run) => Task.FromResult<ScaleLoad>(new WorkerScale(run));

    public override async Task GrowAsync(int size)
    {
        await _run.Client.Contract.ScaleWorkersAsync(size, cancellationToken: _run.Token);
        while ((await _run.Client.Contract.GetStatusAsync(_run.Token)).Workers.Count(worker => worker.State == WorkerState.Ready) < size)
            await Task.Delay(Look, TimeProvider.System, _run.Token);
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
