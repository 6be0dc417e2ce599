using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>From a reason of the contract to an exception: one place for unary calls and for operations of a session's stream.</summary>
internal static class ReasonedErrors
{
    public static OrchestratorException Create(
        ErrorReason reason, StatusCode status, string message, TimeSpan? retryAfter, IReadOnlyList<WaitEdge>? cycle, Exception? inner) => reason switch
        {
            ErrorReason.LimitExceeded => new LimitExceededException(message, retryAfter, inner),
            ErrorReason.Deadlock => new DeadlockException(message, cycle, inner),
            ErrorReason.SessionLost => new SessionLostException(message, inner),
            ErrorReason.ShutDown => new QueueShutDownException(message, inner),
            ErrorReason.Unauthenticated or ErrorReason.PermissionDenied => new NotAllowedException(message, status, reason, inner),
            _ => new OrchestratorException(message, status, reason, inner),
        };
}
