using System.Net.Sockets;
using Google.Rpc;
using Grpc.Core;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Client.Connection;

/// <summary>Maps the errors of calls (gRPC status and <c>google.rpc.ErrorInfo</c>) and of a session's operations to exceptions.</summary>
internal static class RpcExceptionMapper
{
    private const string ReasonPrefix = "ERROR_REASON_";

    /// <summary>The exception for a failed call.</summary>
    public static OrchestratorException Map(RpcException exception, CoordinatorEndpoint endpoint)
    {
        var status = exception.GetRpcStatus();
        var reason = ReadReason(status?.GetDetail<ErrorInfo>());
        var detail = exception.Status.Detail;
        return exception.StatusCode switch
        {
            StatusCode.Unavailable when reason == FailureReason.Unspecified => Unreachable(exception, endpoint),
            StatusCode.Internal when IsConnectionFailure(exception.Status.DebugException) => Unreachable(exception, endpoint),
            StatusCode.Unauthenticated => new AccessDeniedException(
                $"The coordinator at {Show(endpoint)} did not accept the token ({endpoint.TokenSource}): {detail}",
                exception.StatusCode, reason, exception),
            StatusCode.PermissionDenied => new AccessDeniedException(detail, exception.StatusCode, reason, exception),
            _ => Map(
                reason,
                exception.StatusCode,
                detail,
                status?.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan(),
                status?.GetDetail<DeadlockCycle>()?.Edges,
                exception),
        };
    }

    /// <summary>The exception for a failed operation of a session's stream.</summary>
    public static OrchestratorException Map(OperationError error) =>
        Map((FailureReason)error.Reason, (StatusCode)error.Code, error.Message, null, error.Cycle?.Edges, null);

    /// <summary>The exception for a reason of the contract.</summary>
    public static OrchestratorException Map(
        FailureReason reason, StatusCode status, string message, TimeSpan? retryAfter, IReadOnlyList<WaitEdge>? cycle, Exception? inner) =>
            reason switch
            {
                FailureReason.LimitExceeded => new ResourceExhaustedException(message, retryAfter, inner),
                FailureReason.Deadlock => new DeadlockException(message, cycle?.Select(WaitLink.From).ToArray(), inner),
                FailureReason.SessionLost => new SessionLostException(message, inner),
                FailureReason.ShutDown => new QueueShutDownException(message, inner),
                FailureReason.Unauthenticated or FailureReason.PermissionDenied =>
                    new AccessDeniedException(message, status, reason, inner),
                _ => new OrchestratorException(message, status, reason, inner),
            };

    private static CoordinatorUnavailableException Unreachable(RpcException exception, CoordinatorEndpoint endpoint)
    {
        var refused =
            ConnectionFailures.Find<SocketException>(exception.Status.DebugException) is { SocketErrorCode: SocketError.ConnectionRefused };
        var what = refused
            ? $"No coordinator answers at {Show(endpoint)} ({endpoint.AddressSource}). Start one with 'orchestrator serve'."
            : $"The connection to the coordinator at {Show(endpoint)} ({endpoint.AddressSource}) failed: " +
                $"{ConnectionFailures.Explain(exception, endpoint)}";
        return new CoordinatorUnavailableException(what, exception);
    }

    private static bool IsConnectionFailure(Exception? exception) =>
        ConnectionFailures.Find<SocketException>(exception) is not null
            || ConnectionFailures.Find<HttpRequestException>(exception) is not null;

    private static FailureReason ReadReason(ErrorInfo? info)
    {
        if (info is not { Domain: ProtocolConstants.ErrorDomain })
            return FailureReason.Unspecified;
        // The detail carries the enum name as the contract spells it, with or without its prefix.
        var name = info.Reason.StartsWith(ReasonPrefix, StringComparison.Ordinal) ? info.Reason : ReasonPrefix + info.Reason;
        var value = CommonReflection.Descriptor.FindTypeByName<Google.Protobuf.Reflection.EnumDescriptor>("ErrorReason")
            .FindValueByName(name);
        return value is null ? FailureReason.Unspecified : (FailureReason)value.Number;
    }

    private static string Show(CoordinatorEndpoint endpoint) => endpoint.Address.Scheme == "unix"
        ? endpoint.Address.ToString()
        : endpoint.Address.GetLeftPart(UriPartial.Authority);
}
