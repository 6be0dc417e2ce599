using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks.Streams;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks;

/// <summary>The completion of one task, for its waiters.</summary>
internal sealed class TaskCompletion : TaskResultObserver
{
    private readonly TaskCompletionSource<ulong> _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<TaskResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The task's id; 0 if it was refused.</summary>
    public Task<ulong> Accepted => _accepted.Task;

    /// <summary>The task's result, success or failure. Faults only if the outcome cannot be determined.</summary>
    public Task<TaskResult> Result => _result.Task;

    public override void OnAccepted(long sequence, ulong taskId) => _accepted.TrySetResult(taskId);

    public override void OnResult(long sequence, TaskResult result)
    {
        _result.TrySetResult(result);
        _accepted.TrySetResult(result.TaskId);
    }

    public override void OnLost(long sequence, OrchestratorException error)
    {
        // Observe the exception: the task may have no waiter.
        if (_result.TrySetException(error))
            _ = _result.Task.Exception;
        _accepted.TrySetResult(0);
    }
}
