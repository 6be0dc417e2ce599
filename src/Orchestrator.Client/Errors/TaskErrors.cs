using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.Client.Errors;

/// <summary>Maps a task's failure to an exception of this client.</summary>
internal static class TaskErrors
{
    /// <summary>The exception for a task that did not succeed.</summary>
    public static Exception From(TaskResult result, string handler)
    {
        var what = result.TaskId == 0 ? $"'{handler}'" : $"task {result.TaskId} ('{handler}')";
        var said = result.Error?.Message ?? "";
        return result.State switch
        {
            TaskState.Cancelled => new RemoteTaskCanceledException($"{what} was cancelled: {said}", result),
            TaskState.TimedOut => new TaskTimeoutException($"{what} timed out: {said}", result),
            TaskState.WorkerLost => new WorkerLostException($"{what} lost its worker: {said}", result),
            TaskState.Failed => FromFailure(result, what, said),
            _ => new OrchestratorException(
                $"{what} ended as {result.State}, which this client does not know", StatusCode.Unknown, ErrorReason.Unspecified, null),
        };
    }

    private static OrchestratorException FromFailure(TaskResult result, string what, string said)
    {
        var reason = result.Error?.Reason ?? ErrorReason.Unspecified;
        return reason switch
        {
            // The submission was refused and the task never existed: throw the exception that a unary call would throw.
            ErrorReason.LimitExceeded when result.TaskId == 0 => new ResourceExhaustedException($"{what}: {said}", null, null),
            ErrorReason.Draining when result.TaskId == 0 =>
                new OrchestratorException($"{what}: {said}", StatusCode.Unavailable, reason, null),
            ErrorReason.Quarantined => new WorkerLostException($"{what}: {said}", result),
            ErrorReason.HandlerFailed =>
                new TaskFailedException($"{what} failed: {result.Error!.Type}: {said}", StatusCode.FailedPrecondition, result),
            _ => new TaskFailedException($"{what} failed: {said}", StatusOf(reason), result),
        };
    }

    private static StatusCode StatusOf(ErrorReason reason) => reason switch
    {
        ErrorReason.Invalid => StatusCode.InvalidArgument,
        ErrorReason.NotFound or ErrorReason.HandlerNotFound => StatusCode.NotFound,
        ErrorReason.AlreadyExists => StatusCode.AlreadyExists,
        ErrorReason.LimitExceeded => StatusCode.ResourceExhausted,
        ErrorReason.Draining => StatusCode.Unavailable,
        _ => StatusCode.FailedPrecondition,
    };
}
