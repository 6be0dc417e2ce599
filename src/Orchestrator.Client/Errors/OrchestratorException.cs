using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>What the coordinator refused, what did not reach it, or how a task ended: the base of every exception of this client.</summary>
public class OrchestratorException : Exception
{
    /// <summary>Creates the exception for a gRPC status and the reason that came with it.</summary>
    public OrchestratorException(string message, StatusCode statusCode, ErrorReason reason, Exception? innerException)
        : base(message, innerException)
    {
        StatusCode = statusCode;
        Reason = reason;
    }

    /// <summary>The gRPC status.</summary>
    public StatusCode StatusCode { get; }

    /// <summary>Why, in a name that is stable and may be switched on; unspecified where the coordinator gave none.</summary>
    public ErrorReason Reason { get; }
}

/// <summary>No coordinator is running where the client looked, or the connection to it broke.</summary>
public sealed class CoordinatorUnavailableException(string message, Exception? innerException)
    : OrchestratorException(message, StatusCode.Unavailable, ErrorReason.Unspecified, innerException);

/// <summary>The token is missing, wrong, or not allowed to do this.</summary>
public sealed class AccessDeniedException(string message, StatusCode statusCode, ErrorReason reason, Exception? innerException)
    : OrchestratorException(message, statusCode, reason, innerException);

/// <summary>A limit was reached. Nothing was done; try again after <see cref="RetryAfter"/>.</summary>
public sealed class ResourceExhaustedException(string message, TimeSpan? retryAfter, Exception? innerException)
    : OrchestratorException(message, StatusCode.ResourceExhausted, ErrorReason.LimitExceeded, innerException)
{
    /// <summary>When the coordinator expects room again, where it said so.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
