using System.Diagnostics;
using Orchestrator.Client.Tasks;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class RunInExecutorRow() : GuideRow("run-in-executor", "10.1", "blocking code beside asynchronous code")
{
    private const int Blocking = 64;
    private const int Milliseconds = 1_000;
    private const int Echoes = 20;
    private const int OwnWorkers = 5;

    public override void MapHandlers(ITaskMap map) =>
        map.MapTask("guide_block", (WaitInput input, TaskContext context) =>
    {
        var started = Stopwatch.GetTimestamp();
        // Like a library without async support: it blocks its thread.
        context.CancellationToken.WaitHandle.WaitOne(input.Ms);
        return new RunSpan(Environment.ProcessId, context.WorkerName, started, Stopwatch.GetTimestamp());
    }, new() { Kind = HandlerKind.Blocking });

    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say(
            $"{Blocking} tasks hold a thread each for {Milliseconds} ms. Their handler is declared as blocking, so each worker runs them " +
            "on the threads of a separate lane.");
        var handles = new List<TaskHandle<int>>();
        var unfinished = 0;
        var echoes = TimeSpan.Zero;
        var took = await GuideContext.TimeAsync(async () =>
        {
            for (var i = 0; i < Blocking; i++)
                handles.Add(await guide.Pool.SubmitAsync<int>("blocking_sleep", new { ms = Milliseconds }, cancellationToken: guide.Token));
            echoes = await GuideContext.TimeAsync(async () =>
            {
                for (var i = 0; i < Echoes; i++)
                    await guide.Pool.RunAsync<int>("echo", i, cancellationToken: guide.Token);
            });
            unfinished = handles.Count(handle => !handle.IsCompleted);
            await TaskHandles.WhenAll(handles);
        });
        guide.Say($"Meanwhile {Echoes} asynchronous tasks were run one after the other, {GuideContext.Show(echoes / Echoes)} each.");
        guide.Shows($"{unfinished} of {Blocking} blocking ones were still at it when the asynchronous ones had all been answered",
            unfinished == Blocking);
        guide.Shows($"the blocking ones blocked at the same time: {GuideContext.Show(took)} in all, instead of {Blocking} s",
            took < TimeSpan.FromMilliseconds(Blocking * Milliseconds / 4));
        await OwnExecutorAsync(guide);
    }

    /// <summary>
    /// ThreadPoolExecutor(max_workers=5): a separate executor with its own bound, for tasks that must not take the threads of all others.
    /// </summary>
    private static async Task OwnExecutorAsync(GuideContext guide)
    {
        var own =
            new MapOptions { Task = new RunOptions { ConcurrencyKey = guide.Name("legacy-database"), ConcurrencyLimit = OwnWorkers } };
        RunSpan[] spans = [];
        var took = await GuideContext.TimeAsync(async () => spans = await guide.Pool.MapAsync<WaitInput, RunSpan>(
            "guide_block", Enumerable.Repeat(new WaitInput(100), 3 * OwnWorkers), own, guide.Token).ToArrayAsync(guide.Token));
        // The maximum of concurrent spans occurs at the start of one of them.
        var most = spans.Max(one => spans.Count(span => span.Start <= one.Start && one.Start < span.End));
        guide.Say(
            $"An executor of its own with {OwnWorkers} threads is a concurrency key with a limit: {spans.Length} blocking calls of 100 " +
            $"ms took {GuideContext.Show(took)}.");
        guide.Shows($"at most {OwnWorkers} of them were under way at once, over all workers: {most} were", most is > 1 and <= OwnWorkers);
    }

    private sealed record WaitInput(int Ms);
}
