using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>One task that somebody waits for.</summary>
internal sealed class TaskCompletion : TaskResultObserver
{
    private readonly TaskCompletionSource<ulong> _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<TaskResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The task's id; 0 where it was refused.</summary>
    public Task<ulong> Accepted => _accepted.Task;

    /// <summary>How it ended, well or not. Faults only where that can no longer be learned.</summary>
    public Task<TaskResult> Result => _result.Task;

    public override void OnAccepted(long sequence, ulong taskId) => _accepted.TrySetResult(taskId);

    public override void OnResult(long sequence, TaskResult result)
    {
        _result.TrySetResult(result);
        _accepted.TrySetResult(result.TaskId);
    }

    public override void OnLost(long sequence, OrchestratorException error)
    {
        // Nobody has to wait for it.
        if (_result.TrySetException(error))
            _ = _result.Task.Exception;
        _accepted.TrySetResult(0);
    }
}
