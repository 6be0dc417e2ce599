using Grpc.Core;
using Orchestrator.Client.Results;

namespace Orchestrator.Client.Errors;

/// <summary>
/// The base of this client's exceptions: the coordinator refused a request, the request did not reach it, or a task did not succeed.
/// </summary>
public class OrchestratorException : Exception
{
    /// <summary>Creates the exception for a gRPC status and its reason.</summary>
    public OrchestratorException(string message, StatusCode statusCode, FailureReason reason, Exception? innerException)
        : base(message, innerException)
    {
        StatusCode = statusCode;
        Reason = reason;
    }

    /// <summary>The gRPC status.</summary>
    public StatusCode StatusCode { get; }

    /// <summary>The reason, as a stable name that code may switch on; unspecified if the coordinator gave none.</summary>
    public FailureReason Reason { get; }
}

/// <summary>No coordinator is running where the client looked, or the connection to it broke.</summary>
public sealed class CoordinatorUnavailableException(string message, Exception? innerException)
    : OrchestratorException(message, StatusCode.Unavailable, FailureReason.Unspecified, innerException);

/// <summary>The token is missing, wrong, or not allowed to do this.</summary>
public sealed class AccessDeniedException(string message, StatusCode statusCode, FailureReason reason, Exception? innerException)
    : OrchestratorException(message, statusCode, reason, innerException);

/// <summary>A limit was reached. The request had no effect; retry after <see cref="RetryAfter"/>.</summary>
public sealed class ResourceExhaustedException(string message, TimeSpan? retryAfter, Exception? innerException)
    : OrchestratorException(message, StatusCode.ResourceExhausted, FailureReason.LimitExceeded, innerException)
{
    /// <summary>When to retry, if the coordinator said so.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
