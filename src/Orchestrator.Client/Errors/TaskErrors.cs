using Grpc.Core;
using Orchestrator.Client.Results;
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
        var report = RunResult.From(result);
        return result.State switch
        {
            TaskState.Cancelled => new RemoteTaskCanceledException($"{what} was cancelled: {said}", report),
            TaskState.TimedOut => new TaskTimeoutException($"{what} timed out: {said}", report),
            TaskState.WorkerLost => new WorkerLostException($"{what} lost its worker: {said}", report),
            TaskState.Failed => FromFailure(report, what, said),
            _ => new OrchestratorException(
                $"{what} ended as {result.State}, which this client does not know", StatusCode.Unknown, FailureReason.Unspecified, null),
        };
    }

    private static OrchestratorException FromFailure(RunResult result, string what, string said)
    {
        var reason = result.Error?.Reason ?? FailureReason.Unspecified;
        return reason switch
        {
            // The submission was refused and the task never existed: throw the exception that a unary call would throw.
            FailureReason.LimitExceeded when result.TaskId == 0 => new ResourceExhaustedException($"{what}: {said}", null, null),
            FailureReason.Draining when result.TaskId == 0 =>
                new OrchestratorException($"{what}: {said}", StatusCode.Unavailable, reason, null),
            FailureReason.Quarantined => new WorkerLostException($"{what}: {said}", result),
            FailureReason.HandlerFailed =>
                new TaskFailedException($"{what} failed: {result.Error!.Type}: {said}", result),
            _ => new TaskFailedException($"{what} failed: {said}", result),
        };
    }

    /// <summary>The gRPC status that a unary call would have failed with.</summary>
    public static StatusCode StatusOf(RunResult result) => result?.Error?.Reason switch
    {
        FailureReason.Invalid => StatusCode.InvalidArgument,
        FailureReason.NotFound or FailureReason.HandlerNotFound => StatusCode.NotFound,
        FailureReason.AlreadyExists => StatusCode.AlreadyExists,
        FailureReason.LimitExceeded => StatusCode.ResourceExhausted,
        FailureReason.Draining => StatusCode.Unavailable,
        _ => StatusCode.FailedPrecondition,
    };
}
