using Orchestrator.Client.Contract;
using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks.Streams;

/// <summary>Receives the results of tasks of a <see cref="ResilientTaskStream"/>. Called on the stream's reader: must not block.</summary>
internal abstract class TaskResultObserver
{
    /// <summary>Called when the id of a task is known.</summary>
    public virtual void OnAccepted(long sequence, ulong taskId)
    {
    }

    /// <summary>Called when a task has ended.</summary>
    public abstract void OnResult(long sequence, TaskResult result);

    /// <summary>Called in place of <see cref="OnResult"/> with a result that came alone; returns what waits for it, if any.</summary>
    public virtual IResultContinuation? OnLoneResult(long sequence, TaskResult result)
    {
        OnResult(sequence, result);
        return null;
    }

    /// <summary>Called when a task's outcome cannot be determined.</summary>
    public abstract void OnLost(long sequence, OrchestratorException error);

    /// <summary>Whether tasks may be resubmitted when it is unknown whether they ran.</summary>
    public bool ResubmitWhenLost { get; init; }
}

/// <summary>A submitted task without a known result.</summary>
/// <param name="Observer">The observer of its result.</param>
/// <param name="Sequence">Its number among the sink's tasks.</param>
/// <param name="Spec">The task as submitted.</param>
/// <param name="TaskId">The id; 0 if the coordinator has not reported it.</param>
internal readonly record struct OpenTask(TaskResultObserver Observer, long Sequence, TaskSpec Spec, ulong TaskId);
