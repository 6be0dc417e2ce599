using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>Who gets the results of tasks of a <see cref="ResilientTaskStream"/>. Called on the stream's reader: must not block.</summary>
internal abstract class TaskResultObserver
{
    /// <summary>The id of a task is known.</summary>
    public virtual void OnAccepted(long sequence, ulong taskId)
    {
    }

    /// <summary>A task has ended.</summary>
    public abstract void OnResult(long sequence, TaskResult result);

    /// <summary>What became of a task can no longer be learned.</summary>
    public abstract void OnLost(long sequence, OrchestratorException error);

    /// <summary>Whether tasks may be submitted again where it is not known whether they ran.</summary>
    public bool ResubmitWhenLost { get; init; }
}

/// <summary>A submitted task whose end has not been seen.</summary>
/// <param name="Sink">Who waits for it.</param>
/// <param name="Sequence">Which one it is of the sink's.</param>
/// <param name="Spec">As it was submitted.</param>
/// <param name="TaskId">0 where the coordinator has not told it.</param>
internal readonly record struct OpenTask(TaskResultObserver Sink, long Sequence, TaskSpec Spec, ulong TaskId);
