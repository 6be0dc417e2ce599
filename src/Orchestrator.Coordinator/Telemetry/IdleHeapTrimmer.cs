using System.Globalization;
using Microsoft.Extensions.Hosting;
using Orchestrator.Coordinator.Engines;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>
/// Gives the memory of what is gone back to the system. The runtime collects when somebody allocates, so a coordinator whose million queued items have been
/// deleted would keep their pages for as long as nobody asks it for anything. Once it has been quiet for a few seconds, a collection beside its threads finds out
/// how much of the heap is in use; only where much is not, one that stops them for a moment closes the gaps and returns the pages.
/// </summary>
/// <remarks>
/// Nothing of this happens while there is work: a second with more than a few requests begins the wait anew, and so does one between the two collections.
/// </remarks>
internal sealed class IdleHeapTrimmer(MonotonicClock clock, EventLog events) : IHostedService, IDisposable
{
    /// <summary>The kind of the event that says what was returned.</summary>
    public const string EventKind = "coordinator.memory_returned";

    private const int QuietSeconds = 3;

    // About twenty-five small calls.
    private const long QuietBytesPerSecond = 256 << 10;
    private const double QuietCpuShare = 0.3;

    // Below this nothing has happened since the last look, but for timers and signs of life.
    private const long WorthLooking = 64 << 10;

    // What a coordinator of a few hundred clients moves around in anyway.
    private const long WorthReturning = 16 << 20;

    // A compaction moves about 1 GB a second. Whoever calls in that moment waits for it.
    private const long MostToMove = 256 << 20;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AfterVain = TimeSpan.FromMinutes(1);

    private ITimer? _timer;
    private int _looking;
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
        // A look can take longer than the period where the machine is slow.
        if (Interlocked.Exchange(ref _looking, 1) != 0)
            return;
        try
        {
            Step();
        }
        finally
        {
            Volatile.Write(ref _looking, 0);
        }
    }

    private void Step()
    {
        _quiet = WasQuiet() ? _quiet + 1 : 0;
        if (_collecting && _quiet == 0)
        {
            // There is work again, and what the collection finds is soon no longer true.
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

    /// <summary>The last one of the whole heap. Smaller ones may have come after it, and none may come for long after those where nobody allocates.</summary>
    private static GCMemoryInfo LastFullCollection()
    {
        var (background, blocking) = (GC.GetGCMemoryInfo(GCKind.Background), GC.GetGCMemoryInfo(GCKind.FullBlocking));
        return background.Index > blocking.Index ? background : blocking;
    }

    /// <summary>Whether little was done since the last look.</summary>
    private bool WasQuiet()
    {
        var (allocated, cpu, at) = (GC.GetTotalAllocatedBytes(), Environment.CpuUsage.TotalTime, clock.Now);
        var seconds = Math.Max(0.001, (at - _at).TotalSeconds);
        // While a collection runs, the time of the processors is its own.
        var quiet = allocated - _allocated < QuietBytesPerSecond * seconds && (_collecting || (cpu - _cpu).TotalSeconds < QuietCpuShare * seconds);
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
        events.Add(EventKind, "", string.Create(CultureInfo.InvariantCulture, $"resident memory fell from {before >> 20} MB to {Environment.WorkingSet >> 20} MB"));
    }
}
