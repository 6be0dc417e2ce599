using Orchestrator.V1;

namespace Orchestrator.TestKit.Load;

/// <summary>The coordinator's counts, with which a ledger is compared.</summary>
public static class CoordinatorCounts
{
    /// <summary>The counts now.</summary>
    public static async Task<TaskCounts> CountsAsync(this CoordinatorProcess coordinator) =>
        (await coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status.Tasks;

    /// <summary>Waits until nothing is queued or runs, and closes the ledger.</summary>
    public static async Task CloseAsync(this CoordinatorProcess coordinator, TaskLedger ledger, TaskCounts before)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var now = await coordinator.CountsAsync();
        // Tasks of a vanished client are cancelled, which takes time.
        while (now.Queued + now.Running > 0 && !limit.IsCancellationRequested)
            now = await coordinator.CountsAsync();
        ledger.Close(before, now);
    }

    /// <summary>Waits until this many more tasks have ended.</summary>
    public static Task WaitForMoreAsync(this TaskLedger ledger, long more) => ledger.WaitUntilEndedAsync(ledger.Ended + more);

    /// <summary>Waits until this many tasks have ended in all.</summary>
    public static async Task WaitUntilEndedAsync(this TaskLedger ledger, long ended)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (ledger.Ended < ended)
            await tick.WaitForNextTickAsync(limit.Token);
    }
}
