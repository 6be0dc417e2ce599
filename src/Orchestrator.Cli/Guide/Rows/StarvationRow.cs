using System.Diagnostics;
using Orchestrator.Client.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class StarvationRow()
    : GuideRow("starvation", "7.3", "a low priority under a flood of high ones, without and with aging; fair locks")
{
    private static readonly TimeSpan Flood = TimeSpan.FromSeconds(1);

    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say("A flood of tasks of a high priority keeps every worker busy, and one task of priority 0 waits behind them.");
        guide.Say("A waiting task's priority grows by 1 a second. Against a priority of 1,000 that is practically no aging:");
        var (served, waited, _) = await FloodAsync(guide, 1_000, Flood);
        guide.Shows(
            $"without aging: it waited for {GuideContext.Show(waited)}, as long as the flood of {served} others lasted", waited >= Flood);

        guide.Say("Against a priority of 1 the same aging saves it, while the flood goes on:");
        (served, waited, var during) = await FloodAsync(guide, 1, TimeSpan.FromSeconds(20));
        guide.Shows($"with aging: it ran after {GuideContext.Show(waited)} and {served} others, and the flood still went on", during);

        await FairLockAsync(guide);
    }

    /// <summary>Sends high-priority tasks until the low-priority one has run or the time is over.</summary>
    /// <returns>The number of other tasks run meanwhile, the time of the low one, and whether it ended during the flood.</returns>
    private static async Task<(int Served, TimeSpan Waited, bool During)> FloodAsync(GuideContext guide, int priority, TimeSpan most)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(guide.Token);
        var work = new WorkInput(500_000);
        var served = 0;
        var high = new RunOptions { Priority = priority };
        // More at a time than the workers prefetch.
        var senders = Enumerable.Range(0, 128).Select(_ => SendAsync()).ToArray();
        await guide.UntilAsync(() => Task.FromResult(Volatile.Read(ref served) > 128));
        served = 0;
        var started = Stopwatch.GetTimestamp();
        var low = await guide.Pool.SubmitAsync<RunSpan>("guide_compute", work, new RunOptions { Priority = 0 }, guide.Token);
        await Task.WhenAny(low.Completion, Task.Delay(most, TimeProvider.System, guide.Token));
        var during = low.IsCompleted;
        var others = Volatile.Read(ref served);
        await over.CancelAsync();
        await low;
        var waited = Stopwatch.GetElapsedTime(started);
        await Task.WhenAll(senders);
        return (others, waited, during);

        async Task SendAsync()
        {
            while (!over.IsCancellationRequested)
            {
                await guide.Pool.RunAsync<RunSpan>("guide_compute", work, high, guide.Token);
                Interlocked.Increment(ref served);
            }
        }
    }

    private static async Task FairLockAsync(GuideContext guide)
    {
        const int Waiters = 5;
        var name = guide.Name("fair");
        await using var session = await guide.OpenSessionAsync();
        var hold = await session.Lock(name).AcquireAsync(guide.Token);
        var tasks = new List<TaskHandle<ulong[]>>();
        for (var i = 0; i < Waiters; i++)
        {
            tasks.Add(await guide.Pool.SubmitAsync<ulong[]>("hold", new { locks = new[] { name } }, cancellationToken: guide.Token));
            await guide.UntilWaitersAsync($"locks/{name}", i + 1);
        }

        await hold.DisposeAsync();
        var grants = (await TaskHandles.WhenAll(tasks)).Select(tokens => tokens[0]).ToArray();
        guide.Say($"{Waiters} tasks queued up at a lock; the numbers of their grants are {GuideContext.List(grants)}.");
        guide.Shows("a lock is fair: it is granted in FIFO order", grants.SequenceEqual(grants.Order()));
    }
}
