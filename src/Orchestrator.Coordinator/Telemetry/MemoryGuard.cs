using Microsoft.Extensions.Hosting;
using Orchestrator.Coordinator.Engines;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>
/// Keeps what is not in use from filling the memory budget. What is kept for others is bounded by admission; but the runtime knows the machine's memory and not
/// the budget, and lets garbage pile up as long as the machine has room. Near the budget it is made to collect, and to give the pages back.
/// </summary>
internal sealed class MemoryGuard(CoordinatorOptions options, MonotonicClock clock) : IHostedService, IDisposable
{
    private const double Near = 0.75;

    // Less than this has not changed the picture since the last collection, which would only be repeated.
    private const long WorthCollecting = 16 << 20;

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    private ITimer? _timer;
    private int _looking;
    private long _allocated;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = clock.Provider.CreateTimer(_ => Look(), null, Period, Period);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _timer?.Dispose();

    private void Look()
    {
        // A collection may take longer than the period.
        if (Interlocked.Exchange(ref _looking, 1) != 0)
            return;
        var allocated = GC.GetTotalAllocatedBytes();
        if (allocated - _allocated > WorthCollecting && Environment.WorkingSet > options.MemoryBudget * Near)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            _allocated = allocated;
        }

        Volatile.Write(ref _looking, 0);
    }
}
