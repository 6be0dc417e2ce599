namespace Orchestrator.Worker.Execution.Lanes;

/// <summary>
/// A thread that checks progress once a millisecond, and reports a stall. It continues for a while after the last sign of work, so that it
/// needs no wake-up under load, and costs nothing at rest. (A timer that is armed for each batch wakes the timer's thread and then several
/// of the pool's.)
/// </summary>
internal sealed class LaneWatchdog
{
    /// <summary>The progress value while there is nothing to watch.</summary>
    public const int AtRest = int.MinValue;

    private const int PeriodMilliseconds = 1;
    private const int RestAfterPeriods = 100;

    private readonly object _gate = new();
    private readonly Func<int> _progress;
    private readonly Action _onHeld;
    private volatile bool _resting = true;
    private bool _started;
    private bool _stopped;

    /// <param name="progress">A number that changes with each step, or <see cref="AtRest"/>.</param>
    /// <param name="onStalled">Called on the watchdog's thread, once for each step that takes longer than a period; must not block.</param>
    public LaneWatchdog(Func<int> progress, Action onStalled)
    {
        _progress = progress;
        _onHeld = onStalled;
    }

    /// <summary>Work is about to begin. Costs one read of a flag while the watchdog is awake.</summary>
    public void Wake()
    {
        // The watchdog clears the flag before its last read of the progress, and the caller has changed the progress before this read of
        // the flag: one of the two sees the other.
        if (!_resting)
            return;
        lock (_gate)
        {
            if (_stopped || !_resting)
                return;
            _resting = false;
            if (_started)
            {
                Monitor.Pulse(_gate);
                return;
            }

            _started = true;
        }

        new Thread(Watch) { IsBackground = true, Name = "lane guard" }.UnsafeStart();
    }

    /// <summary>Ends the thread.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _stopped = true;
            Monitor.Pulse(_gate);
        }
    }

    private void Watch()
    {
        var seen = AtRest;
        var told = AtRest;
        var idle = 0;
        while (WaitForPeriod(ref idle))
        {
            var progress = _progress();
            if (progress != AtRest && progress == seen && progress != told)
            {
                told = progress;
                _onHeld();
            }

            idle = progress == AtRest ? idle + 1 : 0;
            seen = progress;
        }
    }

    /// <summary>False once the watchdog is no longer needed.</summary>
    private bool WaitForPeriod(ref int idle)
    {
        lock (_gate)
        {
            if (idle >= RestAfterPeriods)
            {
                _resting = true;
                Interlocked.MemoryBarrier();
                if (_progress() != AtRest)
                    _resting = false;
                while (_resting && !_stopped)
                    Monitor.Wait(_gate);
                idle = 0;
            }

            if (!_stopped)
                Monitor.Wait(_gate, PeriodMilliseconds);
            return !_stopped;
        }
    }
}
