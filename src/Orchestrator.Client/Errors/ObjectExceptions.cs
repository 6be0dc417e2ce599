using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>The wait would have closed a cycle of waits, which the message names. Nobody else was disturbed: release what you hold, or wait with a timeout elsewhere.</summary>
public sealed class DeadlockException(string message, IReadOnlyList<WaitEdge>? cycle, Exception? innerException)
    : OrchestratorException(message, StatusCode.Aborted, ErrorReason.Deadlock, innerException)
{
    /// <summary>Who waits for whom, at which object, from this wait back to itself.</summary>
    public IReadOnlyList<WaitEdge> Cycle { get; } = cycle ?? [];
}

/// <summary>The session has ended, and all that it held was given back: its time to live passed, its task attempt ended, or its process died.</summary>
public sealed class SessionLostException(string message, Exception? innerException)
    : OrchestratorException(message, StatusCode.Aborted, ErrorReason.SessionLost, innerException);

/// <summary>The lock is not held any more: somebody else may have it now, and what it protected may have been changed since.</summary>
public sealed class LockLostException(string message, Exception? innerException)
    : OrchestratorException(message, StatusCode.FailedPrecondition, ErrorReason.NotOwner, innerException);

/// <summary>The queue was shut down and takes no more items.</summary>
public sealed class QueueShutDownException(string message, Exception? innerException)
    : OrchestratorException(message, StatusCode.FailedPrecondition, ErrorReason.ShutDown, innerException);
