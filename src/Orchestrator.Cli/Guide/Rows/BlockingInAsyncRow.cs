using Orchestrator.Client.Tasks;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class BlockingInAsyncRow()
    : GuideRow("blocking-in-async", "12.3", "a blocking call inside an async function, and its two cures")
{
    // Three times the threads that a worker reserves for handlers that block by mistake.
    private const int Tasks = 24;
    private const int Milliseconds = 100;

    public override void MapHandlers(ITaskMap map)
    {
        // async def bad(): time.sleep(0.1). It is declared async, but blocks the loop's thread.
        map.MapTask("guide_bad", (int ms, CancellationToken ct) =>
        {
            ct.WaitHandle.WaitOne(ms);
            return Task.FromResult(ms);
        });
        // async def good(): await asyncio.sleep(0.1)
        map.MapTask("guide_good", async (int ms, CancellationToken ct) =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(ms), TimeProvider.System, ct);
            return ms;
        });
    }

    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say($"{Tasks} tasks of {Milliseconds} ms on one worker, and one that does nothing behind them:");
        var (bad, behindBad) = await RunAsync(guide, "guide_bad");
        guide.Say(
            $"  bad, a blocking call in an IO handler:   {GuideContext.Show(bad)}; the one behind them took " +
            $"{GuideContext.Show(behindBad)}");
        var (good, behindGood) = await RunAsync(guide, "guide_good");
        guide.Say(
            $"  good, an await:                          {GuideContext.Show(good)}; the one behind them took " +
            $"{GuideContext.Show(behindGood)}");
        var (lane, behindLane) = await RunAsync(guide, "blocking_sleep");
        guide.Say(
            $"  unavoidable, declared as blocking:       {GuideContext.Show(lane)}; the one behind them took " +
            $"{GuideContext.Show(behindLane)}");
        guide.Say(
            "Each of them would block an event loop. A worker detects it and runs the next one on another thread, but has few of them.");
        guide.Shows(
            $"what blocks in an async handler runs in turns: {GuideContext.Ratio(bad, good)} as long as what awaits", bad > 1.5 * good);
        guide.Shows("and holds up others that have nothing to do with it", behindBad > behindGood);
        guide.Shows(
            "declared as blocking it waits on threads of its own, and no other task waits behind it", lane < bad && behindLane < behindBad);
    }

    private static async Task<(TimeSpan All, TimeSpan Behind)> RunAsync(GuideContext guide, string handler)
    {
        var oneWorker = new RunOptions { AffinityKey = guide.Name("one") };
        object input = handler == "blocking_sleep" ? new { ms = Milliseconds } : Milliseconds;
        var behind = TimeSpan.Zero;
        var all = await GuideContext.TimeAsync(async () =>
        {
            var tasks = new List<TaskHandle<int>>();
            for (var i = 0; i < Tasks; i++)
                tasks.Add(await guide.Pool.SubmitAsync<int>(handler, input, oneWorker, guide.Token));
            behind = await GuideContext.TimeAsync(() => guide.Pool.RunAsync<int>("echo", 1, oneWorker, guide.Token));
            await TaskHandles.WhenAll(tasks);
        });
        return (all, behind);
    }
}
