namespace Orchestrator.Core.Kernel;

/// <summary>Why an operation failed; the numbers are those of <c>orchestrator.v1.ErrorReason</c>.</summary>
public enum ObjectErrorReason : byte
{
    /// <summary>No error.</summary>
    None = 0,

    /// <summary>The request itself is wrong.</summary>
    Invalid = 1,

    /// <summary>What the request names does not exist.</summary>
    NotFound = 2,

    /// <summary>It exists already.</summary>
    AlreadyExists = 3,

    /// <summary>The object exists with another kind or other bounds.</summary>
    KindMismatch = 4,

    /// <summary>The wait was cancelled by its caller.</summary>
    Cancelled = 7,

    /// <summary>A limit was reached.</summary>
    LimitExceeded = 13,

    /// <summary>No new work is taken.</summary>
    Draining = 14,

    /// <summary>What had to succeed first ended otherwise, without an error of its own.</summary>
    DependencyFailed = 15,

    /// <summary>The session does not hold what it tried to release or use.</summary>
    NotOwner = 16,

    /// <summary>More was released than was taken.</summary>
    OverReleased = 17,

    /// <summary>The barrier is broken.</summary>
    BrokenBarrier = 18,

    /// <summary>The queue takes no more.</summary>
    ShutDown = 19,

    /// <summary>The wait would have closed a cycle of waits.</summary>
    Deadlock = 20,

    /// <summary>The session has ended.</summary>
    SessionLost = 21,

    /// <summary>The fencing token or the expected version is older than the object's.</summary>
    Stale = 22,

    /// <summary>The other end of the pipe is closed.</summary>
    BrokenPipe = 23,

    /// <summary>The session is another client's.</summary>
    PermissionDenied = 25,

    /// <summary>Durable objects can no longer be changed, since a change could not be written.</summary>
    JournalFailed = 26,
}
