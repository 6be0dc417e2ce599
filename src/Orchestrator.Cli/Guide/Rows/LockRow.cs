using Orchestrator.Client.Objects;
using Orchestrator.Client.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class LockRow() : GuideRow("lock", "8.1, 12.5", "a lock: one at a time, across all processes")
{
    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say("Eight tasks in the worker processes enter one after the other: each counts up, waits 10 ms and counts down again.");
        var input = new InsideInput(guide.Name("inside"), 10, Lock: guide.Name("door"));
        var tasks = new List<TaskHandle<Inside>>();
        for (var i = 0; i < 8; i++)
            tasks.Add(await guide.Pool.SubmitAsync<Inside>("guide_inside", input, cancellationToken: guide.Token));
        var inside = await TaskHandles.WhenAll(tasks);
        guide.Say($"They ran in {inside.DistinctBy(one => one.Pid).Count()} processes. Each grant has a number: " +
            $"{GuideContext.List(inside.Select(one => one.FencingToken).Order())}.");
        guide.Shows("never were two inside at once", inside.All(one => one.Count == 1));
        guide.Shows("each grant's fencing token is larger than the one before, so that a stale writer can be rejected",
            inside.Select(one => one.FencingToken).Distinct().Count() == inside.Length);

        guide.Say("Here `await using` is what `with` is in Python: an exception leaves the block, and the lock with it.");
        await using var session = await guide.OpenSessionAsync("first");
        await using var other = await guide.OpenSessionAsync("second");
        try
        {
            await using var hold = await session.Lock(guide.Name("block")).AcquireAsync(guide.Token);
            guide.Shows("while it is held, a try of another session fails at once",
                await other.Lock(guide.Name("block")).TryAcquireAsync(TimeSpan.Zero, guide.Token) is null);
            throw new InvalidOperationException("in the critical section");
        }
        catch (InvalidOperationException)
        {
            await using var next = await other.Lock(guide.Name("block")).TryAcquireAsync(TimeSpan.Zero, guide.Token);
            guide.Shows("after the exception it is free", next is not null);
        }

        guide.Say("By hand it is two steps, acquire and release, and the release belongs in a finally:");
        var taken = await session.Lock(guide.Name("hand")).AcquireAsync(guide.Token);
        try
        {
            // An acquire with a timeout does not hang for ever on a lock that is never released: it returns, and the caller decides.
            LockHold? late = taken;
            var waited = await GuideContext.TimeAsync(
                async () => late = await other.Lock(guide.Name("hand")).TryAcquireAsync(TimeSpan.FromMilliseconds(100), guide.Token));
            guide.Shows($"lock.acquire(timeout=0.1) of another session: not acquired, after {GuideContext.Show(waited)}", late is null
                && waited >= TimeSpan.FromMilliseconds(95));
        }
        finally
        {
            // lock.release()
            await taken.DisposeAsync();
        }

        var acquired = await other.Lock(guide.Name("hand")).TryAcquireAsync(TimeSpan.FromMilliseconds(100), guide.Token);
        guide.Shows("released by hand it is the other's", acquired is not null);
        await acquired!.DisposeAsync();

        guide.Say("And if the lock is never released, because its holder has ended:");
        var lost = await guide.OpenSessionAsync("lost");
        var before = await lost.Lock(guide.Name("orphan")).AcquireAsync(guide.Token);
        var waiting = other.Lock(guide.Name("orphan")).AcquireAsync(guide.Token);
        await guide.UntilWaitersAsync($"locks/{guide.Name("orphan")}", 1);
        var passed = await GuideContext.TimeAsync(async () =>
        {
            await lost.DisposeAsync();
            await waiting;
        });
        guide.Shows($"the session's end passed the lock to the next waiter in {GuideContext.Show(passed)}, with a larger token",
            (await waiting).FencingToken > before.FencingToken);
    }
}
