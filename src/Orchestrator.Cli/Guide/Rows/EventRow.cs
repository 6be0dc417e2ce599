using Orchestrator.Client.Tasks;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class EventRow() : GuideRow("event", "8.4", "an event: all wait until it is set")
{
    private const int Waiters = 3;

    public override void MapHandlers(ITaskMap map) =>
        map.MapTask("guide_wait_event", async (string name, TaskContext context) =>
    {
        await context.Event(name).WaitAsync(context.CancellationToken);
        return Environment.ProcessId;
    });

    public override async Task RunAsync(GuideContext guide)
    {
        var name = guide.Name("go");
        var tasks = new List<TaskHandle<int>>();
        for (var i = 0; i < Waiters; i++)
            tasks.Add(await guide.Pool.SubmitAsync<int>("guide_wait_event", name, cancellationToken: guide.Token));
        await guide.UntilWaitersAsync($"events/{name}", Waiters);
        guide.Say(
            $"{Waiters} tasks in the workers wait for the event. A waiting task is an entry in a list: it holds no thread, and it does " +
            "not poll.");
        guide.Shows("before it is set, none of them goes on", !tasks.Any(task => task.IsCompleted));

        await using var session = await guide.OpenSessionAsync();
        var woken = await GuideContext.TimeAsync(async () =>
        {
            await session.Event(name).SetAsync(guide.Token);
            await TaskHandles.WhenAll(tasks);
        });
        guide.Shows(
            $"one set wakes all {Waiters}: their results were here {GuideContext.Show(woken)} later", tasks.All(task => task.IsCompleted));
        guide.Shows("a wait for an event that is set returns at once", await session.Event(name).TryWaitAsync(TimeSpan.Zero, guide.Token));
        await session.Event(name).ClearAsync(guide.Token);
        guide.Shows("cleared, it is waited for again; the timeout is an answer, not an exception", !await session.Event(name).TryWaitAsync(
            TimeSpan.FromMilliseconds(20), guide.Token));
    }
}
