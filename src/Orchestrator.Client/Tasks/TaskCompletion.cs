using Orchestrator.Client.Contract;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks.Streams;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks;

/// <summary>The completion of one task, for its waiters.</summary>
internal sealed class TaskCompletion : TaskResultObserver, IResultContinuation, IThreadPoolWorkItem
{
    private readonly TaskCompletionSource<ulong> _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Its waiters continue on the thread that completes it: one of the pool, or a reader whose place another has taken.
    private readonly TaskCompletionSource<TaskResult> _result = new();
    private object? _outcome;

    /// <summary>The task's id; 0 if it was refused.</summary>
    public Task<ulong> Accepted => _accepted.Task;

    /// <summary>The task's result, success or failure. Faults only if the outcome cannot be determined.</summary>
    public Task<TaskResult> Result => _result.Task;

    public override void OnAccepted(long sequence, ulong taskId) => _accepted.TrySetResult(taskId);

    public override void OnResult(long sequence, TaskResult result) => OnLoneResult(sequence, result)?.Post();

    public override IResultContinuation? OnLoneResult(long sequence, TaskResult result) => End(result, result.TaskId);

    public override void OnLost(long sequence, OrchestratorException error) => End(error, 0)?.Post();

    public void Post() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);

    public void Continue()
    {
        // Observe the exception: the task may have no waiter.
        if (_outcome is OrchestratorException error)
            _ = _result.TrySetException(error) ? _result.Task.Exception : null;
        else
            _result.TrySetResult((TaskResult)_outcome!);
    }

    void IThreadPoolWorkItem.Execute() => Continue();

    // Only the first outcome counts.
    private TaskCompletion? End(object outcome, ulong taskId)
    {
        if (Interlocked.CompareExchange(ref _outcome, outcome, null) is not null)
            return null;
        _accepted.TrySetResult(taskId);
        return this;
    }
}
