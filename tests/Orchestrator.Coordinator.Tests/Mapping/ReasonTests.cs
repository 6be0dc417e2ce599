using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Tests.Mapping;

/// <summary>Part 5: each reason arrives as one exception, by call, by operation and by the end of a task.</summary>
public sealed class ReasonTests
{
    private static readonly CoordinatorEndpoint Endpoint = new(new Uri("http://127.0.0.1:7600"), "given", "token", "given");

    private static readonly Dictionary<ErrorReason, Type> OfCalls = new()
    {
        [ErrorReason.LimitExceeded] = typeof(ResourceExhaustedException),
        [ErrorReason.Deadlock] = typeof(DeadlockException),
        [ErrorReason.SessionLost] = typeof(SessionLostException),
        [ErrorReason.ShutDown] = typeof(QueueShutDownException),
        [ErrorReason.Unauthenticated] = typeof(AccessDeniedException),
        [ErrorReason.PermissionDenied] = typeof(AccessDeniedException),
    };

    public static TheoryData<ErrorReason> Reasons => [.. Enum.GetValues<ErrorReason>()];

    [Theory]
    [MemberData(nameof(Reasons))]
    public void Each_reason_is_one_exception_by_call_and_by_operation(ErrorReason reason)
    {
        var expected = OfCalls.GetValueOrDefault(reason, typeof(OrchestratorException));
        var byCall = RpcExceptionMapper.Map(RpcErrors.Create(reason, "what happened"), Endpoint);
        Assert.Equal((expected, (FailureReason)reason), (byCall.GetType(), byCall.Reason));
        var byOperation = RpcExceptionMapper.Map(
            new OperationError { Code = (int)RpcErrors.StatusOf(reason), Reason = reason, Message = "what happened" });
        Assert.Equal((expected, (FailureReason)reason), (byOperation.GetType(), byOperation.Reason));
        Assert.Equal(byCall.StatusCode, byOperation.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Reasons))]
    public void Each_end_of_a_task_is_an_exception_that_names_it(ErrorReason reason)
    {
        var (state, expected) = reason switch
        {
            ErrorReason.Cancelled => (TaskState.Cancelled, typeof(RemoteTaskCanceledException)),
            ErrorReason.QueueTimeout or ErrorReason.RunTimeout or ErrorReason.TotalTimeout =>
                (TaskState.TimedOut, typeof(TaskTimeoutException)),
            ErrorReason.WorkerLost => (TaskState.WorkerLost, typeof(WorkerLostException)),
            ErrorReason.Quarantined => (TaskState.Failed, typeof(WorkerLostException)),
            _ => (TaskState.Failed, typeof(TaskFailedException)),
        };
        var error = TaskErrors.From(
            new TaskResult { TaskId = 7, State = state, Error = new TaskError { Reason = reason, Message = "said" } }, "work");
        Assert.Equal(expected, error.GetType());
        Assert.Contains("task 7 ('work')", error.Message, StringComparison.Ordinal);
        Assert.Contains("said", error.Message, StringComparison.Ordinal);
        if (error is OrchestratorException typed)
            Assert.Equal((FailureReason)reason, typed.Reason);
    }
}
