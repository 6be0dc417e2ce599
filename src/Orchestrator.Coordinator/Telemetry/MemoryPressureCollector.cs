using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>
/// Keeps garbage from filling the memory budget. Admission bounds retained data; but the runtime knows the machine's memory and not the
/// budget, and lets garbage accumulate as long as the machine has room. Near the budget, this class forces a collection and returns the
/// pages. Embedded in another program, it does nothing: the memory is that program's.
/// </summary>
internal sealed class MemoryPressureCollector(
    CoordinatorOptions options, MonotonicClock clock, ILogger<MemoryPressureCollector> logger) : IHostedService, IDisposable
{
    private const double Near = 0.75;

    // With less than this allocated since the last collection, another one would free nothing more.
    private const long WorthCollecting = 16 << 20;

    // If retained data alone is near the budget, collecting does not help: it may take at most this share of the time.
    private const int PauseShare = 10;

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    private PeriodicCheck? _timer;
    private long _allocated;
    private TimeSpan _notBefore;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.OwnsProcess)
            _timer = new PeriodicCheck(clock.Provider, Period, Check, logger);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _timer?.Dispose();

    private void Check()
    {
        var allocated = GC.GetTotalAllocatedBytes();
        var now = clock.Now;
        if (allocated - _allocated > WorthCollecting && now >= _notBefore && Environment.WorkingSet > options.MemoryBudget * Near)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            _allocated = allocated;
            _notBefore = clock.Now + (PauseShare * (clock.Now - now));
        }
    }
}
