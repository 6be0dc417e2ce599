using Orchestrator.Client;
using Orchestrator.V1;

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

        guide.Say("Now one waits, and is cancelled before the others come. In Python they would wait for it for ever.");
        var early = await guide.Pool.SubmitAsync<int>("wait_barrier", input, cancellationToken: guide.Token);
        await guide.UntilWaitersAsync($"barriers/{name}", 1);
        await early.CancelAsync(cancellationToken: guide.Token);
        await using var session = await guide.OpenSessionAsync();
        try
        {
            await session.Barrier(name).WaitAsync(guide.Token);
            guide.Shows("the barrier is broken", false);
        }
        catch (OrchestratorException exception)
        {
            guide.Say(exception.Message);
            guide.Shows("the barrier is broken for all, and says by whom", exception.Reason == ErrorReason.BrokenBarrier);
        }
    }
}
