using Orchestrator.Client.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class BarrierRow() : GuideRow("barrier", "8.6", "a barrier: all parties wait until the last one arrives")
{
    private const int Parties = 3;

    public override async Task RunAsync(GuideContext guide)
    {
        var name = guide.Name("start");
        var input = new { barrier = name, parties = Parties };
        var tasks = new List<TaskHandle<int>>();
        for (var i = 1; i < Parties; i++)
            tasks.Add(await guide.Pool.SubmitAsync<int>("wait_barrier", input, cancellationToken: guide.Token));
        await guide.UntilWaitersAsync($"barriers/{name}", Parties - 1);
        guide.Say($"{Parties - 1} of {Parties} tasks in the workers are at the barrier.");
        guide.Shows("none goes on", !tasks.Any(task => task.IsCompleted));

        var rest = await GuideContext.TimeAsync(async () =>
        {
            tasks.Add(await guide.Pool.SubmitAsync<int>("wait_barrier", input, cancellationToken: guide.Token));
            await TaskHandles.WhenAll(tasks);
        });
        var indexes = await TaskHandles.WhenAll(tasks);
        guide.Say(
            $"The last was sent, and all had returned, in {GuideContext.Show(rest)}; their indexes are {GuideContext.List(indexes)}.");
        guide.Shows("the last one opens it, and each has an index of its own", indexes.Order().SequenceEqual(Enumerable.Range(0, Parties)));

        guide.Say(
            "Now two wait, and one of them ends before the third comes. In Python a process that dies at a barrier leaves the others " +
            "waiting for ever.");
        var left = await guide.Pool.SubmitAsync<int>("wait_barrier", input, cancellationToken: guide.Token);
        var lost = await guide.OpenSessionAsync("lost-party");
        var waiting = lost.Barrier(name).WaitAsync(guide.Token);
        await guide.UntilWaitersAsync($"barriers/{name}", Parties - 1);
        await lost.DisposeAsync();
        await waiting.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        var told = (await left.GetResultAsync()).Error?.Message ?? "";
        guide.Say(told);
        guide.Shows("the barrier is broken for all who wait, and says by whom", told.Contains("lost-party", StringComparison.Ordinal));
    }
}
