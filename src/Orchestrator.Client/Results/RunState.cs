namespace Orchestrator.Client.Results;

/// <summary>The state of a task.</summary>
public enum RunState
{
    /// <summary>A state that this client does not know.</summary>
    Unknown = 0,

    /// <summary>It waits for its turn.</summary>
    Queued = 1,

    /// <summary>An attempt runs.</summary>
    Running = 2,

    /// <summary>It has an output.</summary>
    Succeeded = 3,

    /// <summary>Its handler failed, or it could not be run.</summary>
    Failed = 4,

    /// <summary>It was cancelled.</summary>
    Cancelled = 5,

    /// <summary>It exceeded a timeout.</summary>
    TimedOut = 6,

    /// <summary>Its worker process died.</summary>
    WorkerLost = 7,
}

/// <summary>The stage of the cancellation escalation that ended a task.</summary>
public enum CancelStage
{
    /// <summary>None: the task was not cancelled.</summary>
    None = 0,

    /// <summary>Before it started.</summary>
    BeforeStart = 1,

    /// <summary>The handler returned when it was asked to.</summary>
    Cooperative = 2,

    /// <summary>Its process was ended by SIGTERM.</summary>
    Terminated = 3,

    /// <summary>Its process was ended by SIGKILL.</summary>
    Killed = 4,
}
