using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Journal;

/// <summary>
/// Something that happened to a durable task, to be written down before anybody is told or anything is started. Immutable; times are the
/// engine's, in ticks.
/// </summary>
/// <param name="TaskId">Which.</param>
public abstract record TaskChange(long TaskId);

/// <summary>It was accepted.</summary>
/// <param name="TaskId">Which.</param>
/// <param name="Submission">As it was submitted.</param>
/// <param name="AcceptedAt">When.</param>
public sealed record TaskAccepted(long TaskId, TaskSubmission Submission, long AcceptedAt) : TaskChange(TaskId);

/// <summary>A task on which it depends has succeeded.</summary>
/// <param name="TaskId">Which.</param>
/// <param name="DependencyId">The other.</param>
public sealed record DependencyMet(long TaskId, long DependencyId) : TaskChange(TaskId);

/// <summary>An attempt goes to a worker: from now on it may have run.</summary>
/// <param name="TaskId">Which.</param>
/// <param name="Attempt">The attempt.</param>
/// <param name="Worker">The worker.</param>
public sealed record TaskAssigned(long TaskId, int Attempt, string Worker) : TaskChange(TaskId);

/// <summary>The attempt is back, and has not run.</summary>
/// <param name="TaskId">Which.</param>
public sealed record TaskReturned(long TaskId) : TaskChange(TaskId);

/// <summary>An attempt failed, and another follows.</summary>
/// <param name="TaskId">Which.</param>
/// <param name="Failed">The one that failed.</param>
public sealed record TaskRetried(long TaskId, AttemptSummary Failed) : TaskChange(TaskId);

/// <summary>Its cancellation was asked for while it was at a worker.</summary>
/// <param name="TaskId">Which.</param>
public sealed record TaskCancelRequested(long TaskId) : TaskChange(TaskId);

/// <summary>It has ended.</summary>
/// <param name="TaskId">Which.</param>
/// <param name="End">How.</param>
/// <param name="Task">The task itself, which changes no more.</param>
public sealed record TaskEnded(long TaskId, TaskEnd End, TaskRecord Task) : TaskChange(TaskId);

/// <summary>Its result is no longer kept.</summary>
/// <param name="TaskId">Which.</param>
public sealed record TaskForgotten(long TaskId) : TaskChange(TaskId);

/// <summary>How a task ended.</summary>
/// <param name="State">Its end state.</param>
/// <param name="Attempt">The last attempt.</param>
/// <param name="Worker">Where that ran; empty before any.</param>
/// <param name="StartedAt">When that started; 0 where it did not.</param>
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

/// <summary>A durable task as a journal knows it, for an engine that starts anew.</summary>
/// <param name="TaskId">Its id.</param>
/// <param name="Submission">As it was submitted, without the dependencies that are met.</param>
/// <param name="AcceptedAt">When.</param>
public sealed record RestoredTask(long TaskId, TaskSubmission Submission, long AcceptedAt)
{
    /// <summary>Earlier attempts.</summary>
    public IReadOnlyList<AttemptSummary> Attempts { get; init; } = [];

    /// <summary>The worker that has the attempt now; null where none has.</summary>
    public string? Worker { get; init; }

    /// <summary>Whether its cancellation was asked for.</summary>
    public bool IsCancelled { get; init; }

    /// <summary>How it ended; null where it has not.</summary>
    public TaskEnd? End { get; init; }
}
