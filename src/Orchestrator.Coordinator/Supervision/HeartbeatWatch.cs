using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>Suspects workers that are silent, and kills those that stay so. Used on the supervisor's thread only.</summary>
/// <param name="clock">The time; silence is measured without the coordinator's own pauses.</param>
/// <param name="events">Learns of suspected workers.</param>
/// <param name="period">How often <see cref="Check"/> is called.</param>
internal sealed class HeartbeatWatch(MonotonicClock clock, EventLog events, TimeSpan period)
{
    private TimeSpan _lastCheck = clock.Now;
    private bool _poolIsAlive = true;

    /// <summary>Checks the coordinator's own health first: a paused coordinator has received no heartbeat.</summary>
    public void Check(IReadOnlyList<WorkerProcess> processes, SupervisorOptions options)
    {
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
            if (silent > options.KillAfter)
            {
                process.KilledFor ??= $"it sent no heartbeat for {silent.TotalSeconds:0.0} s";
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
}
