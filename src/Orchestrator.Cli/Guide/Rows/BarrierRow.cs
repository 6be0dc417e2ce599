using Orchestrator.Client;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class BarrierRow() : GuideRow("barrier", "8.6", "a barrier: nobody goes on before all are there")
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
        guide.Say($"The last was sent, and all were back, in {GuideContext.Show(rest)}; their indexes are {GuideContext.List(indexes)}.");
        guide.Shows("the last one opens it, and each has an index of its own", indexes.Order().SequenceEqual(Enumerable.Range(0, Parties)));

        guide.Say("Now one waits in a worker, another comes, and is gone before the third. In Python the first would wait for ever.");
        var left = await guide.Pool.SubmitAsync<int>("wait_barrier", input, cancellationToken: guide.Token);
        await guide.UntilWaitersAsync($"barriers/{name}", 1);
        var impatient = await guide.OpenSessionAsync("impatient");
        await impatient.Barrier(name).TryWaitAsync(TimeSpan.FromMilliseconds(50), guide.Token);
        await impatient.DisposeAsync();
        var told = (await left.Result).Error?.Message ?? "";
        guide.Say(told);
        guide.Shows("the barrier is broken for all who wait, and says by whom", told.Contains("impatient", StringComparison.Ordinal));
    }
}
