using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Execution.Lanes;

/// <summary>
/// Runs attempts on threads of its own, one at a time on each: created on demand, up to a maximum, and never taken from the thread pool,
/// whose other users a computing handler would starve.
/// </summary>
internal sealed class ThreadLane(LaneServices services, string name, int maxThreads, TimeSpan idleTimeout) : ILane
{
    /// <summary>For lanes that are always in use: creating a thread costs more than most tasks.</summary>
    public static readonly TimeSpan KeepForever = Timeout.InfiniteTimeSpan;

    /// <summary>How long a thread waits for work before it ends.</summary>
    public static readonly TimeSpan DefaultIdleTimeout = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly Queue<TaskContext> _queue = new();
    private readonly List<LaneThread> _idle = [];
    private int _threads;
    private int _named;
    private bool _stopped;

    public LaneServices Services => services;

    public TimeSpan IdleTimeout => idleTimeout;

    public void Enqueue(ReadOnlySpan<TaskContext> attempts, bool deferred)
    {
        List<LaneThread>? wake = null;
        LaneThread? wakeOne = null;
        lock (_gate)
        {
            foreach (var attempt in attempts)
                _queue.Enqueue(attempt);

            // A thread taken off the idle list is about to get one attempt; the other attempts need other threads.
            var needed = Math.Min(attempts.Length, maxThreads);
            while (needed > 0 && _idle.Count > 0)
            {
                var thread = _idle[^1];
                _idle.RemoveAt(_idle.Count - 1);
                if (wakeOne is null)
                    wakeOne = thread;
                else
                    (wake ??= []).Add(thread);
                needed--;
            }

            while (needed > 0 && _threads < maxThreads)
            {
                new LaneThread(this, $"{name}-{++_named}").Start();
                _threads++;
                needed--;
            }
        }

        wakeOne?.Signal();
        foreach (var thread in wake ?? [])
            thread.Signal();
    }

    public void RunInline(Action? onStalled)
    {
    }

    public void Stop()
    {
        LaneThread[] idle;
        lock (_gate)
        {
            _stopped = true;
            idle = [.. _idle];
            _idle.Clear();
        }

        foreach (var thread in idle)
            thread.Signal();
    }

    /// <summary>
    /// The next attempt; without one the thread is on the idle list afterwards, or no longer counted if the lane has stopped.
    /// </summary>
    public TaskContext? Take(LaneThread thread, out bool stopped)
    {
        lock (_gate)
        {
            // Still listed if it woke for posted work and not because a caller took it off.
            _idle.Remove(thread);
            stopped = _stopped;
            if (_queue.TryDequeue(out var attempt))
                return attempt;
            if (stopped)
                _threads--;
            else
                _idle.Add(thread);
            return null;
        }
    }

    public bool HasMore
    {
        get
        {
            lock (_gate)
                return _queue.Count > 0;
        }
    }

    /// <summary>
    /// Lets an idle thread end; false if an enqueuing caller has just taken it off the list, since its signal then follows.
    /// </summary>
    public bool TryRetire(LaneThread thread)
    {
        lock (_gate)
        {
            if (!_idle.Remove(thread))
                return false;
            _threads--;
            return true;
        }
    }
}
