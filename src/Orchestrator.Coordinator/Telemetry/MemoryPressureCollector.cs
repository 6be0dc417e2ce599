using Microsoft.Extensions.Hosting;
using Orchestrator.Coordinator.Engines;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>
/// Keeps what is not in use from filling the memory budget. What is kept for others is bounded by admission; but the runtime knows the machine's memory and not
/// the budget, and lets garbage pile up as long as the machine has room. Near the budget it is made to collect, and to give the pages back. In a program of somebody
/// else's the memory is theirs, and nothing is done.
/// </summary>
internal sealed class MemoryPressureCollector(CoordinatorOptions options, MonotonicClock clock) : IHostedService, IDisposable
{
    private const double Near = 0.75;

    // Less than this has not changed the picture since the last collection, which would only be repeated.
    private const long WorthCollecting = 16 << 20;

    // Where what is kept is itself near the budget, collecting does not help: it may take this part of the time, and no more.
    private const int PauseShare = 10;

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    private ITimer? _timer;
    private int _looking;
    private long _allocated;
    private TimeSpan _notBefore;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.OwnsProcess)
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
        var now = clock.Now;
        if (allocated - _allocated > WorthCollecting && now >= _notBefore && Environment.WorkingSet > options.MemoryBudget * Near)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            _allocated = allocated;
            _notBefore = clock.Now + (PauseShare * (clock.Now - now));
        }

        Volatile.Write(ref _looking, 0);
    }
}
