using Orchestrator.Core.Common;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tasks;

/// <summary>Tasks that wait for the success of others.</summary>
internal sealed class DependencyTracker(TaskEngineContext context, TaskTransitions transitions)
{
    /// <summary>Whether the task waits for its dependencies from now on, or has ended because of one.</summary>
    public bool Block(TaskRecord task)
    {
        var pending = 0;
        foreach (var id in task.Policy.DependsOn)
        {
            // A dependency that has expired in the meantime (while the task waited for the first worker) had ended; whether it succeeded is
            // no longer known.
            if (context.Tasks.Find(id) is not { } dependency)
            {
                transitions.End(task, TaskState.Failed, failure: new TaskFailure(
                    FailureReason.DependencyFailed,
                    $"{context.Tasks.WhyMissing(id)}; this task depends on it, and whether it succeeded is no longer known"));
                return true;
            }

            if (!dependency.HasEnded)
            {
                (dependency.GetSideData().Dependents ??= []).Add(task);
                pending++;
            }
            else if (dependency.EndState != TaskState.Succeeded)
            {
                EndForDependency(task, dependency);
                return true;
            }
            else if (task.IsDurable)
            {
                context.Changes.Record(task, new DependencyMet(task.Id, id));
            }
        }

        if (pending == 0)
            return false;
        task.GetSideData().PendingDependencies = pending;
        task.Phase = TaskPhase.Blocked;
        context.Deadlines.SetByPolicy(task);
        return true;
    }

    /// <summary>Settles the dependents of one task that has ended; false if there is no such task.</summary>
    public bool SettleNext()
    {
        if (transitions.TakeEndedWithDependents() is not { } ended)
            return false;
        var dependents = ended.SideData!.Dependents!;
        ended.SideData.Dependents = null;
        foreach (var task in dependents)
        {
            if (task.Phase != TaskPhase.Blocked)
                continue;
            if (ended.EndState != TaskState.Succeeded)
            {
                EndForDependency(task, ended);
                continue;
            }

            if (task.IsDurable)
                context.Changes.Record(task, new DependencyMet(task.Id, ended.Id));
            if (--task.SideData!.PendingDependencies == 0)
                transitions.MakeReady(task);
        }

        return true;
    }

    /// <summary>
    /// An indirect dependent needs the original cause, not the failure of its direct dependency: the failure names the root, and all
    /// dependents share it.
    /// </summary>
    private void EndForDependency(TaskRecord task, TaskRecord dependency) => transitions.End(
        task,
        TaskState.Failed,
        failure: dependency.Failure is { Reason: FailureReason.DependencyFailed } inherited
            ? inherited
            : new TaskFailure(
                FailureReason.DependencyFailed,
                $"task {dependency.Id} ({dependency.Handler.Name}) ended {ContractNames.Of(dependency.EndState)}, "
                + "and this task depends on it, directly or through others"));
}
