using Grpc.Core;
using Orchestrator.Client.Results;

namespace Orchestrator.Client.Errors;

/// <summary>
/// The wait would have closed a cycle of waits, which the message names. Other waiters are unaffected: release your holds, or use a
/// timeout.
/// </summary>
public sealed class DeadlockException(string message, IReadOnlyList<WaitLink>? cycle, Exception? innerException)
    : OrchestratorException(message, StatusCode.Aborted, FailureReason.Deadlock, innerException)
{
    /// <summary>The waiters, holders and objects of the cycle, from this wait back to itself.</summary>
    public IReadOnlyList<WaitLink> Cycle { get; } = cycle ?? [];
}

/// <summary>
/// The session has ended and its holds were released: its time to live passed, its task attempt ended, or its process died.
/// </summary>
public sealed class SessionLostException(string message, Exception? innerException)
    : OrchestratorException(message, StatusCode.Aborted, FailureReason.SessionLost, innerException);

/// <summary>The lock is no longer held: another session may hold it now and may have changed the protected resource.</summary>
public sealed class LockLostException(string message, Exception? innerException)
    : OrchestratorException(message, StatusCode.FailedPrecondition, FailureReason.NotOwner, innerException);

/// <summary>The queue was shut down and takes no more items.</summary>
public sealed class QueueShutDownException(string message, Exception? innerException)
    : OrchestratorException(message, StatusCode.FailedPrecondition, FailureReason.ShutDown, innerException);
