using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>What an operation failed with, as this client's exception.</summary>
internal static class ObjectErrors
{
    public static OrchestratorException From(OperationError error) => From(error.Message, (StatusCode)error.Code, error.Reason, null, error.DeadlockCycle);

    public static OrchestratorException From(string message, StatusCode status, ErrorReason reason, Exception? innerException, DeadlockCycle? cycle = null) => reason switch
    {
        ErrorReason.LimitExceeded => new LimitExceededException(message, null, innerException),
        ErrorReason.Deadlock => new DeadlockException(message, cycle, innerException),
        ErrorReason.SessionLost => new SessionLostException(message, innerException),
        _ => new OrchestratorException(message, status, reason, innerException),
    };
}

/// <summary>The wait would have closed a cycle of waits, which the message names. Nobody else was disturbed: release what you hold, or wait with a timeout elsewhere.</summary>
public sealed class DeadlockException(string message, DeadlockCycle? cycle, Exception? innerException)
    : OrchestratorException(message, StatusCode.Aborted, ErrorReason.Deadlock, innerException)
{
    /// <summary>Who waits for whom, each edge for the next one's waiter and the last for the first's; empty where the coordinator did not say.</summary>
    public IReadOnlyList<WaitEdge> Cycle { get; } = cycle is null ? [] : [.. cycle.Edges];
}

/// <summary>The session has ended, and all that it held was given back: its time to live passed, its task attempt ended, or its process died.</summary>
public sealed class SessionLostException(string message, Exception? innerException)
    : OrchestratorException(message, StatusCode.Aborted, ErrorReason.SessionLost, innerException);
