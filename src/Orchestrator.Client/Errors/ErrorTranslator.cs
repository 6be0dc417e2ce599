using System.Net.Sockets;
using Google.Rpc;
using Grpc.Core;
using Orchestrator.Contracts;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>The client's end of the error funnel: gRPC status and <c>google.rpc.ErrorInfo</c> → exception.</summary>
internal static class ErrorTranslator
{
    private const string ReasonPrefix = "ERROR_REASON_";

    public static OrchestratorException Translate(RpcException exception, CoordinatorEndpoint endpoint)
    {
        var status = exception.GetRpcStatus();
        var reason = ReadReason(status?.GetDetail<ErrorInfo>());
        var detail = exception.Status.Detail;
        return exception.StatusCode switch
        {
            StatusCode.Unavailable when reason == ErrorReason.Unspecified => Unreachable(exception, endpoint),
            StatusCode.Internal when IsConnectionFailure(exception.Status.DebugException) => Unreachable(exception, endpoint),
            StatusCode.Unauthenticated => new NotAllowedException(
                $"The coordinator at {Show(endpoint)} did not accept the token ({endpoint.TokenSource}): {detail}",
                exception.StatusCode, reason, exception),
            StatusCode.PermissionDenied => new NotAllowedException(detail, exception.StatusCode, reason, exception),
            _ => ReasonedErrors.Create(
                reason,
                exception.StatusCode,
                detail,
                status?.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan(),
                status?.GetDetail<DeadlockCycle>()?.Edges,
                exception),
        };
    }

    private static CoordinatorUnavailableException Unreachable(RpcException exception, CoordinatorEndpoint endpoint)
    {
        var refused = ConnectionFailures.Find<SocketException>(exception.Status.DebugException) is { SocketErrorCode: SocketError.ConnectionRefused };
        var what = refused
            ? $"No coordinator answers at {Show(endpoint)} ({endpoint.AddressSource}). Start one with 'orchestrator serve'."
            : $"The connection to the coordinator at {Show(endpoint)} ({endpoint.AddressSource}) failed: {ConnectionFailures.Explain(exception, endpoint)}";
        return new CoordinatorUnavailableException(what, exception);
    }

    private static bool IsConnectionFailure(Exception? exception) =>
        ConnectionFailures.Find<SocketException>(exception) is not null || ConnectionFailures.Find<HttpRequestException>(exception) is not null;

    private static ErrorReason ReadReason(ErrorInfo? info)
    {
        if (info is not { Domain: ProtocolConstants.ErrorDomain })
            return ErrorReason.Unspecified;
        // The detail carries the name in the contract's spelling, with or without the enum's prefix.
        var name = info.Reason.StartsWith(ReasonPrefix, StringComparison.Ordinal) ? info.Reason : ReasonPrefix + info.Reason;
        var value = CommonReflection.Descriptor.FindTypeByName<Google.Protobuf.Reflection.EnumDescriptor>("ErrorReason")
            .FindValueByName(name);
        return value is null ? ErrorReason.Unspecified : (ErrorReason)value.Number;
    }

    private static string Show(CoordinatorEndpoint endpoint) => endpoint.Address.Scheme == "unix"
        ? endpoint.Address.ToString()
        : endpoint.Address.GetLeftPart(UriPartial.Authority);
}
