using Orchestrator.Contracts.Passthrough;

namespace Orchestrator.Worker;

/// <summary>Carries out the control part of a request; what it assigns is started, or left for <see cref="TaskExecutor.RunDeferred"/>.</summary>
internal readonly struct RequestOrders(TaskExecutor executor)
{
    public void Apply(PassExecuteRequest request)
    {
        if (request.Identity is { } identity)
            executor.WorkerName = $"{identity.Name}#{identity.Incarnation}";
        if (request.Assignments.Count > 0)
            executor.StartDeferred(request.Assignments);
        foreach (var cancel in request.Cancels)
            executor.Cancel(cancel.TaskId, cancel.Attempt);
        if (request.GiveBack.Count > 0)
            executor.GiveBack(request.GiveBack);
        if (request.Drain)
            executor.Drain();
    }
}
