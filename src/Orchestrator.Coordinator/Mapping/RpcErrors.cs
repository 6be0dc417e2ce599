using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.TaskModel;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>
/// The single conversion from an error of this product to a gRPC status with rich details (<c>google.rpc.ErrorInfo</c> and its companions).
/// </summary>
internal static class RpcErrors
{
    /// <summary>The default delay before a caller that reached a limit should retry.</summary>
    private static readonly Duration RetryDelay = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(200));

    /// <summary>The gRPC status code of a reason.</summary>
    public static StatusCode StatusOf(ErrorReason reason) => reason switch
    {
        ErrorReason.Invalid => StatusCode.InvalidArgument,
        ErrorReason.NotFound or ErrorReason.HandlerNotFound => StatusCode.NotFound,
        ErrorReason.AlreadyExists => StatusCode.AlreadyExists,
        ErrorReason.KindMismatch or ErrorReason.NotOwner or ErrorReason.OverReleased or ErrorReason.BrokenBarrier
            or ErrorReason.Stale or ErrorReason.BrokenPipe or ErrorReason.ShutDown => StatusCode.FailedPrecondition,
        ErrorReason.Deadlock or ErrorReason.SessionLost => StatusCode.Aborted,
        ErrorReason.LimitExceeded => StatusCode.ResourceExhausted,
        ErrorReason.Draining or ErrorReason.JournalFailed => StatusCode.Unavailable,
        ErrorReason.Cancelled => StatusCode.Cancelled,
        ErrorReason.Unauthenticated => StatusCode.Unauthenticated,
        ErrorReason.PermissionDenied => StatusCode.PermissionDenied,
        ErrorReason.QueueTimeout or ErrorReason.RunTimeout or ErrorReason.TotalTimeout => StatusCode.DeadlineExceeded,
        ErrorReason.HandlerFailed or ErrorReason.DependencyFailed => StatusCode.FailedPrecondition,
        ErrorReason.WorkerLost or ErrorReason.Quarantined => StatusCode.Aborted,
        _ => StatusCode.Internal,
    };

    /// <summary>An engine's refusal as the exception that ends the call.</summary>
    public static RpcException From(TaskFailure failure) => failure.Subject.Length > 0
        ? LimitExceeded(failure.Subject, failure.Message)
        : Create((ErrorReason)(int)failure.Reason, failure.Message);

    /// <summary>The error for a client that has reached one of its own limits.</summary>
    public static RpcException LimitExceeded(string client, string message) => Limit($"client:{client}", message).ToRpcException();

    /// <summary>An object engine's error as the exception that ends the call.</summary>
    public static RpcException From(ObjectError error)
    {
        var reason = (ErrorReason)(int)error.Reason;
        if (error.Subject.Length > 0)
            return LimitExceeded(error.Subject, error.Message);
        if (error.Cycle is { } cycle)
            return Create(reason, error.Message, WaitEdges.ToMessage(cycle));
        return reason == ErrorReason.Invalid && error.Field.Length > 0
            ? Create(reason, error.Message, new BadRequest
            {
                FieldViolations = { new BadRequest.Types.FieldViolation { Field = error.Field, Description = error.Message } },
            })
            : Create(reason, error.Message);
    }

    /// <summary>An error with its reason and, for a limit, advice.</summary>
    public static RpcException Create(ErrorReason reason, string message, params IMessage[] details)
    {
        var status = reason == ErrorReason.LimitExceeded ? Limit("coordinator", message) : Begin(reason, message);
        foreach (var detail in details)
            status.Details.Add(Any.Pack(detail));
        return status.ToRpcException();
    }

    /// <summary>A request that is wrong in one or several fields.</summary>
    public static RpcException Invalid(IReadOnlyList<Violation> violations)
    {
        var message = string.Join("; ", violations.Select(violation => violation.ToString()));
        if (violations[0].Reason != ErrorReason.Invalid)
            return Create(violations[0].Reason, message);
        var status = Begin(ErrorReason.Invalid, message);
        var request = new BadRequest();
        request.FieldViolations.AddRange(violations.Select(
            violation => new BadRequest.Types.FieldViolation { Field = violation.Field, Description = violation.Description }));
        status.Details.Add(Any.Pack(request));
        return status.ToRpcException();
    }

    /// <summary>A request that is wrong in one field.</summary>
    public static RpcException Invalid(string field, string description) => Invalid([new Violation(field, description)]);

    private static Google.Rpc.Status Limit(string subject, string message)
    {
        var status = Begin(ErrorReason.LimitExceeded, message);
        status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = RetryDelay }));
        status.Details.Add(
            Any.Pack(new QuotaFailure { Violations = { new QuotaFailure.Types.Violation { Subject = subject, Description = message } } }));
        return status;
    }

    private static Google.Rpc.Status Begin(ErrorReason reason, string message)
    {
        var status = new Google.Rpc.Status { Code = (int)StatusOf(reason), Message = message };
        status.Details.Add(Any.Pack(new ErrorInfo { Reason = ReasonName(reason), Domain = ProtocolConstants.ErrorDomain }));
        return status;
    }

    private static string ReasonName(ErrorReason reason) =>
        ErrorReasonNames.GetValueOrDefault(reason) ?? ErrorReasonNames[ErrorReason.Unspecified];

    private static readonly Dictionary<ErrorReason, string> ErrorReasonNames = CommonReflection.Descriptor.EnumTypes
        .Single(type => type.Name == nameof(ErrorReason))
        .Values
        .ToDictionary(value => (ErrorReason)value.Number, value => value.Name["ERROR_REASON_".Length..]);
}

/// <summary>What is wrong with one field of a request.</summary>
/// <param name="Field">Its path, such as <c>task.options.run_timeout</c>.</param>
/// <param name="Description">The value that was given and what would be right.</param>
/// <param name="Reason">Mostly <see cref="ErrorReason.Invalid"/>; otherwise the reason for which the whole request is refused.</param>
internal readonly record struct Violation(string Field, string Description, ErrorReason Reason = ErrorReason.Invalid)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Field}: {Description}";
}
