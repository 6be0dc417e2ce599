using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>Ends workers: by letting them finish what they run, or by signals. Used on the supervisor's thread only.</summary>
/// <param name="host">Learns of workers that take no more tasks.</param>
/// <param name="thread">Runs what is due later.</param>
/// <param name="processes">The processes that have not exited.</param>
internal sealed class WorkerTermination(TaskEngineHost host, SupervisorThread thread, List<WorkerProcess> processes)
{
    /// <summary>Lets a worker finish what it runs, and then ends it.</summary>
    public void DrainAndStop(WorkerProcess process, SupervisorOptions options)
    {
        if (process.Link?.View is not { } view)
        {
            Terminate(process, "its slot has another worker", options);
            return;
        }

        process.Role = WorkerRole.Draining;
        host.Apply(new TaskCommand.WorkerDraining(view));
        process.Link.Drain();
        if (process.IsDueForRecycling)
            return;
        var why = $"it had not ended what it ran {options.DrainLimit.TotalSeconds:0} s after it was replaced";
        thread.PostAfter(options.DrainLimit, () => Terminate(process, why, options));
    }

    /// <summary>SIGTERM now, SIGKILL if the worker does not obey.</summary>
    /// <param name="process">The worker.</param>
    /// <param name="why">The reason, for the owners of the tasks running there.</param>
    /// <param name="options">The options in force.</param>
    public void Terminate(WorkerProcess process, string why, SupervisorOptions options)
    {
        if (!processes.Contains(process) || process.Role == WorkerRole.Ending)
            return;
        process.KilledFor ??= why;
        var harsh = process.Role == WorkerRole.Condemned;
        process.Role = WorkerRole.Ending;
        process.Connecting.Cancel();
        // Both request the end: the stream message lets a worker that reads it end cleanly; the signal reaches any program.
        process.Link?.Drain();
        process.Child.Signal(NativeMethods.SigTerm);
        thread.PostAfter(
            harsh && process.Link is null ? TimeSpan.Zero : options.TerminateGrace, () => process.Child.Signal(NativeMethods.SigKill));
    }
}
