using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>Suspects workers that are silent, and kills those that stay so. Used on the supervisor's thread only.</summary>
/// <param name="clock">The time; silence is measured without the coordinator's own pauses.</param>
/// <param name="events">Learns of suspected workers.</param>
/// <param name="debuggers">Spares workers that a debugger holds.</param>
/// <param name="period">How often <see cref="Check"/> is called.</param>
internal sealed class HeartbeatWatch(MonotonicClock clock, EventLog events, DebuggerWatch debuggers, TimeSpan period)
{
    private TimeSpan _lastCheck = clock.Now;
    private bool _poolIsAlive = true;

    /// <summary>Spares workers that a debugger holds.</summary>
    public DebuggerWatch Debuggers => debuggers;

    /// <summary>Checks the coordinator's own health first: a paused coordinator has received no heartbeat.</summary>
    public void Check(IReadOnlyList<WorkerProcess> processes, SupervisorOptions options)
    {
        debuggers.Check(processes);
        var now = clock.Now;
        var paused = now - _lastCheck > period * 4 || !_poolIsAlive;
        _lastCheck = now;
        _poolIsAlive = false;
        ThreadPool.UnsafeQueueUserWorkItem(_ => _poolIsAlive = true, null);
        foreach (var process in processes)
        {
            if (process.Link is not { } link || process.Role == WorkerRole.Ending)
                continue;
            if (paused)
                link.Touch();
            var silent = clock.Running.GetElapsedTime(link.LastHeard);
            if (silent > options.KillAfter && !debuggers.Spares(process, Cause(silent)))
            {
                process.KilledFor ??= Cause(silent);
                process.Child.Signal(NativeMethods.SigKill);
            }
            else if (silent > options.SuspectAfter != process.IsSuspect)
            {
                process.IsSuspect = !process.IsSuspect;
                if (process.IsSuspect)
                    events.Add("worker.suspect", process.Name, $"no heartbeat for {silent.TotalSeconds:0.0} s");
            }
        }
    }

    private static string Cause(TimeSpan silent) => $"it sent no heartbeat for {silent.TotalSeconds:0.0} s";
}
