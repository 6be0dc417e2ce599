using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>A task that did not succeed. Which one, where and at which attempt.</summary>
public abstract class TaskException : OrchestratorException
{
    private protected TaskException(string message, StatusCode statusCode, TaskResult result)
        : base(message, statusCode, result.Error?.Reason ?? ErrorReason.Unspecified, null) => Result = result;

    /// <summary>The result as the coordinator gave it.</summary>
    public TaskResult Result { get; }

    /// <summary>The task's id.</summary>
    public ulong TaskId => Result.TaskId;

    /// <summary>The worker's name and incarnation, such as <c>worker-1#3</c>; empty where none ran it.</summary>
    public string Worker => Result.Worker;

    /// <summary>The attempt that this was the end of; 0 where none was made.</summary>
    public int Attempt => Result.Attempt;
}

/// <summary>
/// The handler threw, took its input for wrong, or could not be run at all: <see cref="OrchestratorException.Reason"/> tells which.
/// </summary>
public sealed class TaskFailedException : TaskException
{
    internal TaskFailedException(string message, StatusCode statusCode, TaskResult result)
        : base(message, statusCode, result)
    {
    }

    /// <summary>The exception's type as the handler's language names it; empty where no handler threw.</summary>
    public string RemoteType => Result.Error?.Type ?? "";

    /// <summary>What it said.</summary>
    public string RemoteMessage => Result.Error?.Message ?? "";

    /// <summary>Where it was thrown, in the worker.</summary>
    public string RemoteStackTrace => Result.Error?.StackTrace ?? "";
}

/// <summary>The worker process died while it ran the task, or died of it so often that the task was given up.</summary>
public sealed class WorkerLostException : TaskException
{
    internal WorkerLostException(string message, TaskResult result)
        : base(message, StatusCode.Aborted, result)
    {
    }

    /// <summary>What is known of the process; null where nothing is.</summary>
    public PostMortem? PostMortem => Result.Error?.PostMortem;
}

/// <summary>The task took longer than its queue, run or total timeout: <see cref="OrchestratorException.Reason"/> tells which.</summary>
public sealed class TaskTimeoutException : TaskException
{
    internal TaskTimeoutException(string message, TaskResult result)
        : base(message, StatusCode.DeadlineExceeded, result)
    {
    }

    /// <summary>Which rung of the ladder ended it.</summary>
    public CancelRung Rung => Result.Error?.Rung ?? CancelRung.Unspecified;
}

/// <summary>
/// The connection to the coordinator was lost with the task under way, and what became of it can no longer be learned: the coordinator was started
/// again, or has forgotten the task. It may have run, in part or to its end. The client does not submit it again by itself, unless
/// <see cref="RunOptions.ResubmitWhenLost"/> allows it.
/// </summary>
public sealed class TaskLostException(string message, ulong taskId, Exception? innerException)
    : OrchestratorException(message, StatusCode.Unavailable, ErrorReason.Unspecified, innerException)
{
    /// <summary>The task's id; 0 where the coordinator had not told it.</summary>
    public ulong TaskId { get; } = taskId;
}

/// <summary>The task was cancelled, by this client or by somebody else.</summary>
public sealed class RemoteTaskCanceledException : OperationCanceledException
{
    internal RemoteTaskCanceledException(string message, TaskResult result)
        : base(message) => Result = result;

    /// <summary>The result as the coordinator gave it.</summary>
    public TaskResult Result { get; }

    /// <summary>The task's id.</summary>
    public ulong TaskId => Result.TaskId;

    /// <summary>Which rung of the ladder ended it: before its start, by its own consent, or with its process.</summary>
    public CancelRung Rung => Result.Error?.Rung ?? CancelRung.Unspecified;
}

/// <summary>
/// Partial outputs of a task are missing: they came faster than they were read, or before, and are no longer kept. The task itself goes on, and its
/// result may well be there.
/// </summary>
public sealed class PartialsLostException : OrchestratorException
{
    internal PartialsLostException(TaskHandle task, ulong count, ulong after, ulong before)
        : base(
            $"{count} partial outputs of task {task.Id} ('{task.Handler}') are lost to this reader, between the events {after} and {before}: it did not keep up, or came late; EventsAsync goes on over a gap",
            StatusCode.DataLoss,
            ErrorReason.LimitExceeded,
            null) =>
        (TaskId, Count) = (task.Id, count);

    /// <summary>The task's id.</summary>
    public ulong TaskId { get; }

    /// <summary>How many are missing.</summary>
    public ulong Count { get; }
}
