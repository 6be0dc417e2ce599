using System.Diagnostics;
using Orchestrator.Client.Tasks;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class DeadlockRow() : GuideRow("deadlock", "7.2", "two tasks, two locks, in opposite order")
{
    public override void MapHandlers(ITaskMap map) =>
        map.MapTask("guide_two_locks", async (TwoLocks input, TaskContext context) =>
    {
        var ct = context.CancellationToken;
        await using var first = await context.Lock(input.First).AcquireAsync(ct);
        // Both hold their first lock before either requests its second; the original guide only sleeps here.
        if (input.Meet is { } barrier)
            await context.Barrier(barrier, 2).WaitAsync(ct);
        await using var second = await context.Lock(input.Second).AcquireAsync(ct);
        return Stopwatch.GetTimestamp();
    });

    public override async Task RunAsync(GuideContext guide)
    {
        var (a, b) = (guide.Name("a"), guide.Name("b"));
        guide.Say("Task 1 takes a, task 2 takes b; then task 1 wants b, and task 2 wants a. All four conditions hold: mutual exclusion,");
        guide.Say("hold and wait, no preemption, and a circle of waits. In Python both would wait for ever, without an error.");
        var started = Stopwatch.GetTimestamp();
        TaskHandle<long>[] tasks =
        [
            await guide.Pool.SubmitAsync<long>("guide_two_locks", new TwoLocks(a, b, guide.Name("meet")), cancellationToken: guide.Token),
            await guide.Pool.SubmitAsync<long>("guide_two_locks", new TwoLocks(b, a, guide.Name("meet")), cancellationToken: guide.Token),
        ];
        await TaskHandles.WaitAsync(tasks, timeout: TimeSpan.FromSeconds(20), cancellationToken: guide.Token);
        var took = Stopwatch.GetElapsedTime(started);
        var told = (await Task.WhenAll(tasks.Where(task => task.IsCompleted).Select(task => task.GetResultAsync(guide.Token))))
            .Select(result => result.Error?.Message ?? "").Where(message => message.Length > 0).ToArray();
        foreach (var message in told)
            guide.Say(message);
        guide.Shows(
            $"the wait that closes the circle fails at once, and names it: both tasks had ended {GuideContext.Show(took)} after they " +
            "were sent",
            told is [var cycle] && cycle.Contains(a, StringComparison.Ordinal) && cycle.Contains(b, StringComparison.Ordinal));
        guide.Shows("the other one was not disturbed: it had both locks", tasks.Count(task => task.AsTask().IsCompletedSuccessfully) == 1);

        guide.Say("The cure is one order for all: a before b. Then the circle cannot close.");
        var ordered = Enumerable.Repeat(new TwoLocks(a, b, null), 20);
        var passed = await guide.Pool.MapAsync<TwoLocks, long>("guide_two_locks", ordered, cancellationToken: guide.Token)
            .CountAsync(guide.Token);
        guide.Shows($"in one order, {passed} of 20 tasks had both locks", passed == 20);
    }

    private sealed record TwoLocks(string First, string Second, string? Meet);
}
