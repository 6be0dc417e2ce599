using Google.Rpc;
using Grpc.Core;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.TaskModel;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Tests.Mapping;

/// <summary>Each reason both ways: engine or service → gRPC status with details → the client's exception.</summary>
public sealed class ErrorMappingTests
{
    private static readonly Dictionary<ErrorReason, StatusCode> Expected = new()
    {
        [ErrorReason.Unspecified] = StatusCode.Internal,
        [ErrorReason.Invalid] = StatusCode.InvalidArgument,
        [ErrorReason.NotFound] = StatusCode.NotFound,
        [ErrorReason.HandlerNotFound] = StatusCode.NotFound,
        [ErrorReason.AlreadyExists] = StatusCode.AlreadyExists,
        [ErrorReason.KindMismatch] = StatusCode.FailedPrecondition,
        [ErrorReason.NotOwner] = StatusCode.FailedPrecondition,
        [ErrorReason.OverReleased] = StatusCode.FailedPrecondition,
        [ErrorReason.BrokenBarrier] = StatusCode.FailedPrecondition,
        [ErrorReason.Stale] = StatusCode.FailedPrecondition,
        [ErrorReason.BrokenPipe] = StatusCode.FailedPrecondition,
        [ErrorReason.ShutDown] = StatusCode.FailedPrecondition,
        [ErrorReason.HandlerFailed] = StatusCode.FailedPrecondition,
        [ErrorReason.DependencyFailed] = StatusCode.FailedPrecondition,
        [ErrorReason.Deadlock] = StatusCode.Aborted,
        [ErrorReason.SessionLost] = StatusCode.Aborted,
        [ErrorReason.WorkerLost] = StatusCode.Aborted,
        [ErrorReason.Quarantined] = StatusCode.Aborted,
        [ErrorReason.LimitExceeded] = StatusCode.ResourceExhausted,
        [ErrorReason.Draining] = StatusCode.Unavailable,
        [ErrorReason.JournalFailed] = StatusCode.Unavailable,
        [ErrorReason.Cancelled] = StatusCode.Cancelled,
        [ErrorReason.QueueTimeout] = StatusCode.DeadlineExceeded,
        [ErrorReason.RunTimeout] = StatusCode.DeadlineExceeded,
        [ErrorReason.TotalTimeout] = StatusCode.DeadlineExceeded,
        [ErrorReason.Unauthenticated] = StatusCode.Unauthenticated,
        [ErrorReason.PermissionDenied] = StatusCode.PermissionDenied,
    };

    private static readonly CoordinatorEndpoint Endpoint = new(new Uri("http://127.0.0.1:7600"), "given", "token", "given");

    public static TheoryData<ErrorReason> Reasons => [.. Enum.GetValues<ErrorReason>()];

    [Theory]
    [MemberData(nameof(Reasons))]
    public void A_reason_travels_under_its_status_and_arrives_as_itself(ErrorReason reason)
    {
        Assert.True(Expected.TryGetValue(reason, out var status), $"{reason} is new: say here under which status it travels");
        var sent = RpcErrors.Create(reason, "what happened");
        Assert.Equal(status, sent.StatusCode);
        var info = sent.GetRpcStatus()!.GetDetail<ErrorInfo>()!;
        Assert.Equal("orchestrator", info.Domain);
        Assert.Equal(info.Reason, info.Reason.ToUpperInvariant());
        var arrived = RpcExceptionMapper.Map(sent, Endpoint);
        Assert.Equal(((Client.Results.FailureReason)reason, status), (arrived.Reason, arrived.StatusCode));
        Assert.Contains("what happened", arrived.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_engine_failure_has_a_reason_of_the_contract()
    {
        foreach (var reason in Enum.GetValues<FailureReason>().Where(reason => reason != FailureReason.None))
        {
            var arrived = RpcExceptionMapper.Map(RpcErrors.From(new TaskFailure(reason, "why")), Endpoint);
            Assert.Equal($"{reason}", $"{arrived.Reason}");
        }
    }

    [Fact]
    public void A_limit_says_when_to_try_again_and_which_quota_it_was()
    {
        var sent = RpcErrors.Create(ErrorReason.LimitExceeded, "too many tasks");
        Assert.Equal("too many tasks", sent.GetRpcStatus()!.GetDetail<QuotaFailure>()!.Violations.Single().Description);
        var arrived = Assert.IsType<ResourceExhaustedException>(RpcExceptionMapper.Map(sent, Endpoint));
        Assert.True(arrived.RetryAfter > TimeSpan.Zero);
    }

    [Fact]
    public void A_wrong_request_names_each_field()
    {
        var sent = RpcErrors.Invalid([new Violation("task.handler", "is empty"), new Violation("task.tag", "is odd")]);
        Assert.Equal(
            ["task.handler", "task.tag"],
            sent.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations.Select(violation => violation.Field));
        Assert.Equal(Client.Results.FailureReason.Invalid, RpcExceptionMapper.Map(sent, Endpoint).Reason);
    }

    [Theory]
    [InlineData(ErrorReason.Unauthenticated)]
    [InlineData(ErrorReason.PermissionDenied)]
    public void What_is_not_allowed_is_an_exception_of_its_own(ErrorReason reason) =>
        Assert.IsType<AccessDeniedException>(RpcExceptionMapper.Map(RpcErrors.Create(reason, "no"), Endpoint));

    [Fact]
    public void Unavailable_without_a_reason_is_a_coordinator_that_does_not_answer()
    {
        var exception = new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "connection refused"));
        Assert.IsType<CoordinatorUnavailableException>(RpcExceptionMapper.Map(exception, Endpoint));
        // A draining coordinator does respond, and reports it.
        Assert.IsNotType<CoordinatorUnavailableException>(
            RpcExceptionMapper.Map(RpcErrors.Create(ErrorReason.Draining, "draining"), Endpoint));
    }

    [Fact]
    public void A_reason_of_another_domain_is_not_ours()
    {
        var status = new Google.Rpc.Status { Code = (int)StatusCode.NotFound, Message = "m" };
        status.Details.Add(Google.Protobuf.WellKnownTypes.Any.Pack(new ErrorInfo { Reason = "NOT_FOUND", Domain = "elsewhere" }));
        Assert.Equal(Client.Results.FailureReason.Unspecified, RpcExceptionMapper.Map(status.ToRpcException(), Endpoint).Reason);
    }
}
