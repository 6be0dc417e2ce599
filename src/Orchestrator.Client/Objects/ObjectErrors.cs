using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>What an operation failed with, as this client's exception.</summary>
internal static class ObjectErrors
{
    public static OrchestratorException From(OperationError error) => From(error.Message, (StatusCode)error.Code, error.Reason, null);

    public static OrchestratorException From(string message, StatusCode status, ErrorReason reason, Exception? innerException) => reason switch
    {
        ErrorReason.LimitExceeded => new LimitExceededException(message, null, innerException),
        ErrorReason.Deadlock => new DeadlockException(message, innerException),
        ErrorReason.SessionLost => new SessionLostException(message, innerException),
        _ => new OrchestratorException(message, status, reason, innerException),
    };
}

/// <summary>The wait would have closed a cycle of waits, which the message names. Nobody else was disturbed: release what you hold, or wait with a timeout elsewhere.</summary>
public sealed class DeadlockException(string message, Exception? innerException)
    : OrchestratorException(message, StatusCode.Aborted, ErrorReason.Deadlock, innerException);

/// <summary>The session has ended, and all that it held was given back: its time to live passed, its task attempt ended, or its process died.</summary>
public sealed class SessionLostException(string message, Exception? innerException)
    : OrchestratorException(message, StatusCode.Aborted, ErrorReason.SessionLost, innerException);
