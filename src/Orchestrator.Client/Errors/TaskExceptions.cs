using Grpc.Core;
using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;

namespace Orchestrator.Client.Errors;

/// <summary>A task that did not succeed: its id, worker and attempt.</summary>
public abstract class TaskException : OrchestratorException
{
    private protected TaskException(string message, StatusCode statusCode, RunResult result)
        : base(message, statusCode, result?.Error?.Reason ?? FailureReason.Unspecified, null)
    {
        ArgumentNullException.ThrowIfNull(result);
        Result = result;
    }

    /// <summary>The result as the coordinator returned it.</summary>
    public RunResult Result { get; }

    /// <summary>The task's id.</summary>
    public ulong TaskId => Result.TaskId;

    /// <summary>The worker's name and incarnation, such as <c>worker-1#3</c>; empty if no worker ran it.</summary>
    public string Worker => Result.Worker;

    /// <summary>The last attempt; 0 if there was none.</summary>
    public int Attempt => Result.Attempt;
}

/// <summary>
/// The handler threw, rejected its input, or could not be run: see <see cref="OrchestratorException.Reason"/>.
/// </summary>
public sealed class TaskFailedException : TaskException
{
    /// <summary>Creates the exception for a result; tests of a program's own code may do so, too.</summary>
    public TaskFailedException(string message, RunResult result)
        : base(message, TaskErrors.StatusOf(result), result)
    {
    }

    /// <summary>The exception's type in the handler's language; empty if no handler threw.</summary>
    public string RemoteType => Result.Error?.Type ?? "";

    /// <summary>The message of the handler's exception.</summary>
    public string RemoteMessage => Result.Error?.Message ?? "";

    /// <summary>The stack trace in the worker.</summary>
    public string RemoteStackTrace => Result.Error?.StackTrace ?? "";

    /// <summary>As <see cref="Exception.ToString"/>, followed by the stack trace in the worker.</summary>
    public override string ToString() => RemoteStackTrace.Length == 0
        ? base.ToString()
        : $"{base.ToString()}{Environment.NewLine}--- in the worker{(Worker.Length > 0 ? $" {Worker}" : "")}, attempt {Attempt}: " +
            $"{RemoteType} ---{Environment.NewLine}{RemoteStackTrace}";
}

/// <summary>The worker process died while it ran the task, or the task killed so many workers that it was given up.</summary>
public sealed class WorkerLostException : TaskException
{
    /// <summary>Creates the exception for a result; tests of a program's own code may do so, too.</summary>
    public WorkerLostException(string message, RunResult result)
        : base(message, StatusCode.Aborted, result)
    {
    }

    /// <summary>The known facts about the process's death; null if there are none.</summary>
    public WorkerPostMortem? PostMortem => Result.Error?.PostMortem;
}

/// <summary>The task exceeded its queue, run or total timeout: see <see cref="OrchestratorException.Reason"/>.</summary>
public sealed class TaskTimeoutException : TaskException
{
    /// <summary>Creates the exception for a result; tests of a program's own code may do so, too.</summary>
    public TaskTimeoutException(string message, RunResult result)
        : base(message, StatusCode.DeadlineExceeded, result)
    {
    }

    /// <summary>The stage of the cancellation escalation that ended the task.</summary>
    public CancelStage Rung => Result.Error?.Rung ?? CancelStage.None;
}

/// <summary>
/// The connection to the coordinator was lost while the task was under way, and the task's outcome is unknown: the coordinator was
/// restarted, or no longer keeps the task. It may have run, in part or to its end. The client does not resubmit it, unless
/// <see cref="RunOptions.ResubmitWhenLost"/> allows it.
/// </summary>
public sealed class TaskLostException(string message, ulong taskId, Exception? innerException)
    : OrchestratorException(message, StatusCode.Unavailable, FailureReason.Unspecified, innerException)
{
    /// <summary>The task's id; 0 if the coordinator had not reported it.</summary>
    public ulong TaskId { get; } = taskId;
}

/// <summary>The task was cancelled, by this client or another one.</summary>
public sealed class RemoteTaskCanceledException : OperationCanceledException
{
    /// <summary>Creates the exception for a result; tests of a program's own code may do so, too.</summary>
    public RemoteTaskCanceledException(string message, RunResult result)
        : base(message) => Result = result;

    /// <summary>The result as the coordinator returned it.</summary>
    public RunResult Result { get; }

    /// <summary>The task's id.</summary>
    public ulong TaskId => Result.TaskId;

    /// <summary>
    /// The stage of the cancellation escalation that ended the task: before its start, cooperatively, or with its process.
    /// </summary>
    public CancelStage Rung => Result.Error?.Rung ?? CancelStage.None;
}

/// <summary>
/// Partial outputs of a task are missing: they came faster than they were read, or before the reader, and are no longer kept. The task goes
/// on, and its result is not affected.
/// </summary>
public sealed class PartialsLostException : OrchestratorException
{
    internal PartialsLostException(ulong taskId, string handler, ulong count, ulong after, ulong before)
        : base(
            $"{count} partial outputs of task {taskId} ('{handler}') are lost to this reader, between the events {after} and {before}: " +
            "it did not keep up, or came late; EventsAsync continues past a gap",
            StatusCode.DataLoss,
            FailureReason.LimitExceeded,
            null) =>
        (TaskId, Count) = (taskId, count);

    /// <summary>The task's id.</summary>
    public ulong TaskId { get; }

    /// <summary>The number of missing partial outputs.</summary>
    public ulong Count { get; }
}
