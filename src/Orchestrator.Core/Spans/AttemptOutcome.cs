namespace Orchestrator.Core.Spans;

/// <summary>How an attempt ended, as spans show it.</summary>
public enum AttemptOutcome : byte
{
    /// <summary>The handler returned a result.</summary>
    Succeeded = 1,

    /// <summary>The handler failed.</summary>
    Failed = 2,

    /// <summary>It was cancelled.</summary>
    Cancelled = 3,

    /// <summary>A time limit ended it.</summary>
    TimedOut = 4,

    /// <summary>Its worker died.</summary>
    WorkerLost = 5,
}
