namespace Orchestrator.Core.TaskModel;

/// <summary>
/// A change of a durable task, to be journaled before it is reported or an attempt is started. Immutable; times are the engine's, in ticks.
/// </summary>
/// <param name="TaskId">The task.</param>
public abstract record TaskChange(long TaskId);

/// <summary>It was accepted.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Submission">As it was submitted.</param>
/// <param name="AcceptedAt">When.</param>
public sealed record TaskAccepted(long TaskId, TaskSubmission Submission, long AcceptedAt) : TaskChange(TaskId);

/// <summary>A task on which it depends has succeeded.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="DependencyId">The dependency.</param>
public sealed record DependencyMet(long TaskId, long DependencyId) : TaskChange(TaskId);

/// <summary>An attempt was assigned to a worker: from now on it may have run.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Attempt">The attempt.</param>
/// <param name="Worker">The worker.</param>
public sealed record TaskAssigned(long TaskId, int Attempt, string Worker) : TaskChange(TaskId);

/// <summary>The attempt was returned without having run.</summary>
/// <param name="TaskId">The task.</param>
public sealed record TaskReturned(long TaskId) : TaskChange(TaskId);

/// <summary>An attempt failed, and another follows.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Failed">The one that failed.</param>
public sealed record TaskRetried(long TaskId, AttemptSummary Failed) : TaskChange(TaskId);

/// <summary>Its cancellation was requested while it was at a worker.</summary>
/// <param name="TaskId">The task.</param>
public sealed record TaskCancelRequested(long TaskId) : TaskChange(TaskId);

/// <summary>It has ended.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="End">How.</param>
/// <param name="Task">The task itself, which no longer changes.</param>
public sealed record TaskEnded(long TaskId, TaskEnd End, TaskRecord Task) : TaskChange(TaskId);

/// <summary>Its result is no longer kept.</summary>
/// <param name="TaskId">The task.</param>
public sealed record TaskForgotten(long TaskId) : TaskChange(TaskId);

/// <summary>How a task ended.</summary>
/// <param name="State">Its end state.</param>
/// <param name="Attempt">The last attempt.</param>
/// <param name="Worker">The worker of that attempt; empty before any.</param>
/// <param name="StartedAt">When that attempt started; 0 if it did not.</param>
/// <param name="EndedAt">When it ended.</param>
/// <param name="RunTicks">How long the last attempt ran.</param>
public sealed record TaskEnd(TaskState State, int Attempt, string Worker, long StartedAt, long EndedAt, long RunTicks)
{
    /// <summary>The output, opaque to the engine.</summary>
    public object? Output { get; init; }

    /// <summary>Its size.</summary>
    public int OutputBytes { get; init; }

    /// <summary>Why it did not succeed.</summary>
    public TaskFailure? Failure { get; init; }
}

/// <summary>A durable task that is no longer kept, but whose request id is.</summary>
/// <param name="TaskId">Its id.</param>
/// <param name="RequestId">Its idempotency key.</param>
/// <param name="AcceptedAt">When.</param>
public readonly record struct ForgottenTask(long TaskId, string RequestId, long AcceptedAt);

/// <summary>A durable task as read from a journal, for a restarted engine.</summary>
/// <param name="TaskId">Its id.</param>
/// <param name="Submission">As it was submitted, without the dependencies that are met.</param>
/// <param name="AcceptedAt">When.</param>
public sealed record RestoredTask(long TaskId, TaskSubmission Submission, long AcceptedAt)
{
    /// <summary>Earlier attempts.</summary>
    public IReadOnlyList<AttemptSummary> Attempts { get; init; } = [];

    /// <summary>The worker that has the attempt now; null if none has.</summary>
    public string? Worker { get; init; }

    /// <summary>Whether its cancellation was requested.</summary>
    public bool IsCancelled { get; init; }

    /// <summary>How it ended; null if it has not.</summary>
    public TaskEnd? End { get; init; }
}
