using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>
/// Spares workers that a debugger holds: at a breakpoint a worker is silent, and its task runs longer than it may. What would have ended
/// such a worker waits until the debugger leaves. Used on the supervisor's thread only.
/// </summary>
/// <param name="events">Learns of spared workers.</param>
/// <param name="logger">Learns of them, too.</param>
/// <param name="terminate">Ends a worker, for a reason.</param>
internal sealed class DebuggerWatch(EventLog events, ILogger logger, Action<WorkerProcess, string> terminate)
{
    /// <summary>Whether a debugger is attached to the worker, which is reported once.</summary>
    /// <param name="process">The worker.</param>
    /// <param name="cause">Why it would be killed.</param>
    public bool Spares(WorkerProcess process, string cause)
    {
        var pid = process.Child.Pid;
        if (!ProcFs.IsDebugged(pid))
            return false;
        if (!process.IsDebugged)
        {
            process.IsDebugged = true;
            events.Add("worker.debugged", process.Name, $"pid {pid}: {cause}; it is not killed while a debugger is attached");
            SupervisorLog.Debugged(logger, process.Name, pid, cause);
        }

        return true;
    }

    /// <summary>Gives up a worker that has not said Hello in time; a debugger may take longer.</summary>
    public void LimitStart(WorkerProcess process, TimeSpan limit, SupervisorThread thread) => thread.PostAfter(limit, () =>
    {
        if (process.Link is not null || process.Connecting.IsCancellationRequested)
            return;
        if (Spares(process, $"it did not say Hello within {limit.TotalSeconds:0} s"))
            LimitStart(process, limit, thread);
        else
            process.Connecting.Cancel();
    });

    /// <summary>Ends a worker whose task ignored its cancellation, now or when no debugger is attached any more.</summary>
    public void TerminateWhenReleased(WorkerProcess process, string why)
    {
        if (Spares(process, why))
            process.EndsWhenReleased = why;
        else
            terminate(process, why);
    }

    /// <summary>Looks whether the debuggers of spared workers have left.</summary>
    public void Check(IReadOnlyList<WorkerProcess> processes)
    {
        foreach (var process in processes)
        {
            if (!process.IsDebugged || ProcFs.IsDebugged(process.Child.Pid))
                continue;
            process.IsDebugged = false;
            // Its silence was the debugger's.
            process.Link?.Touch();
            events.Add("worker.released", process.Name, $"pid {process.Child.Pid}: the debugger has left");
            if (process.EndsWhenReleased is { } why)
                terminate(process, why);
        }
    }
}
