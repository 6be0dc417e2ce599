namespace Orchestrator.Client.Results;

/// <summary>Why a request or a task failed: stable names that code may switch on. docs/errors.md describes each.</summary>
public enum FailureReason
{
    /// <summary>The coordinator gave no reason.</summary>
    Unspecified = 0,

    /// <summary>The request or the input is invalid.</summary>
    Invalid = 1,

    /// <summary>There is no such task or object.</summary>
    NotFound = 2,

    /// <summary>It exists already.</summary>
    AlreadyExists = 3,

    /// <summary>It exists with another kind or specification.</summary>
    KindMismatch = 4,

    /// <summary>No worker offers the handler.</summary>
    HandlerNotFound = 5,

    /// <summary>The handler threw.</summary>
    HandlerFailed = 6,

    /// <summary>It was cancelled.</summary>
    Cancelled = 7,

    /// <summary>It waited too long to start.</summary>
    QueueTimeout = 8,

    /// <summary>An attempt ran too long.</summary>
    RunTimeout = 9,

    /// <summary>It took too long in total.</summary>
    TotalTimeout = 10,

    /// <summary>The worker process died.</summary>
    WorkerLost = 11,

    /// <summary>It ended so many workers that it is not run again.</summary>
    Quarantined = 12,

    /// <summary>A limit was reached.</summary>
    LimitExceeded = 13,

    /// <summary>The coordinator takes no new work.</summary>
    Draining = 14,

    /// <summary>A task that it depends on did not succeed.</summary>
    DependencyFailed = 15,

    /// <summary>Another session holds it, or none does.</summary>
    NotOwner = 16,

    /// <summary>More was released than is held.</summary>
    OverReleased = 17,

    /// <summary>A party of the barrier gave up.</summary>
    BrokenBarrier = 18,

    /// <summary>The queue was shut down.</summary>
    ShutDown = 19,

    /// <summary>The wait would close a cycle of waits.</summary>
    Deadlock = 20,

    /// <summary>The session has ended.</summary>
    SessionLost = 21,

    /// <summary>The precondition of an update does not hold: a newer version or fencing token.</summary>
    Stale = 22,

    /// <summary>The other end of the pipe is closed.</summary>
    BrokenPipe = 23,

    /// <summary>The token is missing or wrong.</summary>
    Unauthenticated = 24,

    /// <summary>The token does not allow it.</summary>
    PermissionDenied = 25,

    /// <summary>The journal cannot be written.</summary>
    JournalFailed = 26,
}
