namespace Orchestrator.Core.TaskModel;

/// <summary>What kind of work a handler does; it decides the lane in which it runs.</summary>
public enum WorkKind : byte
{
    /// <summary>One at a time per worker, on a dedicated thread.</summary>
    Cpu = 0,

    /// <summary>Many at a time per worker, asynchronously.</summary>
    Io = 1,

    /// <summary>Blocking code on a bounded set of threads.</summary>
    Blocking = 2,
}

/// <summary>Where a task runs.</summary>
public enum PlacementPolicy : byte
{
    /// <summary>In a worker process.</summary>
    WorkerProcess = 0,

    /// <summary>In the coordinator, one after the other.</summary>
    Sequential = 1,

    /// <summary>In the coordinator, on a pool of threads.</summary>
    Threads = 2,

    /// <summary>In the coordinator, all at once on the async scheduler.</summary>
    Async = 3,
}

/// <summary>The state of a task as its owner sees it; the numbers are those of <c>orchestrator.v1.TaskState</c>.</summary>
public enum TaskState : byte
{
    /// <summary>Accepted, not started.</summary>
    Queued = 1,

    /// <summary>An attempt is running.</summary>
    Running = 2,

    /// <summary>Ended with an output.</summary>
    Succeeded = 3,

    /// <summary>Ended with an error of the handler, its input or a dependency.</summary>
    Failed = 4,

    /// <summary>Ended by a cancel.</summary>
    Cancelled = 5,

    /// <summary>Ended by one of its timeouts.</summary>
    TimedOut = 6,

    /// <summary>Its worker process died while it ran.</summary>
    WorkerLost = 7,
}

/// <summary>The phase of an accepted task inside the engine.</summary>
internal enum TaskPhase : byte
{
    /// <summary>Waits for its dependencies.</summary>
    Blocked,

    /// <summary>Waits until every group of workers has announced its handlers.</summary>
    Unresolved,

    /// <summary>Waits for the next attempt's backoff to pass.</summary>
    BackingOff,

    /// <summary>In a ready queue.</summary>
    Ready,

    /// <summary>Taken from the ready queue, waits for a permit of its concurrency key.</summary>
    AwaitingConcurrency,

    /// <summary>Taken from the ready queue, waits for a permit of its rate limiter.</summary>
    AwaitingStartRate,

    /// <summary>Taken from the ready queue, waits for the worker to which its affinity key is bound.</summary>
    Pinned,

    /// <summary>Assigned to a worker, running or in its prefetched window.</summary>
    Assigned,

    /// <summary>Has its end state.</summary>
    Ended,
}

/// <summary>Why an attempt is being ended before it ended by itself.</summary>
internal enum EndIntent : byte
{
    None,
    Cancel,
    QueueTimeout,
    RunTimeout,
    TotalTimeout,
}

/// <summary>
/// The step of the cancellation escalation that ended a task; the numbers are those of <c>orchestrator.v1.CancelRung</c>.
/// </summary>
public enum CancelRung : byte
{
    /// <summary>Not ended by a cancellation.</summary>
    None = 0,

    /// <summary>It had not started.</summary>
    BeforeStart = 1,

    /// <summary>The handler obeyed its token.</summary>
    Cooperative = 2,

    /// <summary>Its worker was asked to exit.</summary>
    Terminated = 3,

    /// <summary>Its worker was condemned, to be killed.</summary>
    Killed = 4,
}

/// <summary>Why a task or a request failed; the numbers are those of <c>orchestrator.v1.ErrorReason</c>.</summary>
public enum FailureReason : byte
{
    /// <summary>No failure.</summary>
    None = 0,

    /// <summary>The request or the input is wrong.</summary>
    Invalid = 1,

    /// <summary>Something that the request names does not exist.</summary>
    NotFound = 2,

    /// <summary>The request id was used, and its result is no longer kept.</summary>
    AlreadyExists = 3,

    /// <summary>No worker offers a handler of that name.</summary>
    HandlerNotFound = 5,

    /// <summary>The handler threw.</summary>
    HandlerFailed = 6,

    /// <summary>Cancelled.</summary>
    Cancelled = 7,

    /// <summary>The queue timeout passed.</summary>
    QueueTimeout = 8,

    /// <summary>The run timeout passed.</summary>
    RunTimeout = 9,

    /// <summary>The total timeout passed.</summary>
    TotalTimeout = 10,

    /// <summary>The worker process died while it ran the task.</summary>
    WorkerLost = 11,

    /// <summary>The task killed as many workers as its retry policy allows.</summary>
    Quarantined = 12,

    /// <summary>A limit was reached.</summary>
    LimitExceeded = 13,

    /// <summary>No new work is taken.</summary>
    Draining = 14,

    /// <summary>A dependency did not succeed.</summary>
    DependencyFailed = 15,

    /// <summary>It is durable, and its change could not be written.</summary>
    JournalFailed = 26,
}
