using Microsoft.AspNetCore.Http;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Supervision;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>Whether the coordinator accepts work, for load balancers: 200 ready or degraded, 503 while starting or draining.</summary>
internal sealed class Readiness(TaskEngineHost host, WorkerSupervisor supervisor, JournalHealth journal)
{
    private volatile bool _started;

    /// <summary>Marks the workers as started.</summary>
    public void MarkStarted() => _started = true;

    public IResult ToResult()
    {
        if (!_started || host.Read(view => view.IsDraining))
            return Results.Text(_started ? "draining\n" : "starting\n", statusCode: StatusCodes.Status503ServiceUnavailable);
        if (journal.Failure is { } why)
            return Results.Text($"degraded: the journal has failed, nothing durable is taken: {why}\n");
        // Without the reason: callers of this route are not authenticated.
        return Results.Text(supervisor switch
        {
            { LostGroups: { Length: > 0 } groups } =>
                $"degraded: worker group {string.Join(" and ", groups.Select(group => $"'{group}'"))} has been given up, and its tasks " +
                "fail; 'orchestrator status' says why and what helps\n",
            { FailedSlots: > 0 and var slots } =>
                $"degraded: {slots} workers have been given up; 'orchestrator status' says why and what helps\n",
            _ => "ready\n",
        });
    }
}
