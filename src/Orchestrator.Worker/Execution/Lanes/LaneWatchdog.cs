namespace Orchestrator.Worker;

/// <summary>
/// A thread that looks once a millisecond whether something goes on, and says so when it does not. It looks on for a while after the last sign of work, so that
/// under load nobody has to wake it, and costs nothing at rest. (A timer that is armed for each batch wakes the timer's thread and then several of the pool's.)
/// </summary>
internal sealed class LaneWatchdog
{
    /// <summary>What the progress reads while nothing is to be watched.</summary>
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
    /// <param name="onStalled">Called on the guard's thread, once for each step that takes longer than a period; must not block.</param>
    public LaneWatchdog(Func<int> progress, Action onStalled)
    {
        _progress = progress;
        _onHeld = onStalled;
    }

    /// <summary>Work is about to begin. Costs a look at a flag while the guard is awake.</summary>
    public void Wake()
    {
        // The guard lowers the flag before its last look at the progress, and the caller has raised that before this look at the flag: one of the two sees the other.
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

    /// <summary>False once the guard is no longer wanted.</summary>
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
