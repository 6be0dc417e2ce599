using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>
/// Returns freed memory to the system. The runtime collects only on allocations, so an idle coordinator whose million queued items have
/// been deleted would keep their pages. After a few quiet seconds, a background collection determines how much of the heap is in use; only
/// if much is unused, a blocking collection compacts the heap and returns the pages.
/// </summary>
/// <remarks>
/// None of this happens under load: a second with more than a few requests restarts the wait, even between the two collections.
/// </remarks>
internal sealed class IdleHeapTrimmer(MonotonicClock clock, EventLog events, ILogger<IdleHeapTrimmer> logger) : IHostedService, IDisposable
{
    /// <summary>The kind of the event that reports the returned memory.</summary>
    public const string EventKind = "coordinator.memory_returned";

    private const int QuietSeconds = 3;

    // Equals about twenty-five small calls.
    private const long QuietBytesPerSecond = 256 << 10;
    private const double QuietCpuShare = 0.3;

    // Below this, only timers and heartbeats have allocated since the last check.
    private const long WorthLooking = 64 << 10;

    // The normal fluctuation of a coordinator with a few hundred clients.
    private const long WorthReturning = 16 << 20;

    // A compaction moves about 1 GB a second. Concurrent calls wait for it.
    private const long MostToMove = 256 << 20;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AfterVain = TimeSpan.FromMinutes(1);

    private PeriodicCheck? _timer;
    private long _allocated;
    private long _allocatedAtLook;
    private TimeSpan _cpu;
    private TimeSpan _at;
    private TimeSpan _notBefore;
    private int _quiet;
    private bool _collecting;
    private long _indexAtLook;

    public Task StartAsync(CancellationToken cancellationToken)
    {
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
        _quiet = WasQuiet() ? _quiet + 1 : 0;
        if (_collecting && _quiet == 0)
        {
            // Work has resumed, so the result of the collection will soon be outdated.
            _collecting = false;
        }
        else if (_collecting)
        {
            var live = LastFullCollection();
            if (live.Index <= _indexAtLook)
                return;
            _collecting = false;
            Judge(live);
        }
        else if (_quiet >= QuietSeconds && _at >= _notBefore && _allocated - _allocatedAtLook > WorthLooking)
        {
            _allocatedAtLook = _allocated;
            _indexAtLook = LastFullCollection().Index;
            _collecting = true;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        }
    }

    /// <summary>
    /// The last full collection. Partial ones may have followed it, and on an idle heap no further collection may follow for long.
    /// </summary>
    private static GCMemoryInfo LastFullCollection()
    {
        var (background, blocking) = (GC.GetGCMemoryInfo(GCKind.Background), GC.GetGCMemoryInfo(GCKind.FullBlocking));
        return background.Index > blocking.Index ? background : blocking;
    }

    /// <summary>Whether there was little work since the last check.</summary>
    private bool WasQuiet()
    {
        var (allocated, cpu, at) = (GC.GetTotalAllocatedBytes(), Environment.CpuUsage.TotalTime, clock.Now);
        var seconds = Math.Max(0.001, (at - _at).TotalSeconds);
        // While a collection runs, the processor time is the collector's.
        var quiet = allocated - _allocated < QuietBytesPerSecond * seconds
            && (_collecting || (cpu - _cpu).TotalSeconds < QuietCpuShare * seconds);
        (_allocated, _cpu, _at) = (allocated, cpu, at);
        return quiet;
    }

    private void Judge(GCMemoryInfo info)
    {
        var used = info.HeapSizeBytes - info.FragmentedBytes;
        var unused = info.TotalCommittedBytes - used;
        if (unused < Math.Max(WorthReturning, used / 4) || used > MostToMove)
        {
            _notBefore = _at + AfterVain;
            return;
        }

        var before = Environment.WorkingSet;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        events.Add(EventKind, "", string.Create(
            CultureInfo.InvariantCulture, $"resident memory fell from {before >> 20} MB to {Environment.WorkingSet >> 20} MB"));
    }
}
