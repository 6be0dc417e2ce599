using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tasks;

/// <summary>An event or a request: the engine's whole input, with the time as its only other argument.</summary>
public abstract record TaskCommand
{
    /// <summary>Tasks to accept; the outcomes come in the same order in <see cref="TaskEffects.Submitted"/>.</summary>
    /// <param name="Tasks">The tasks.</param>
    /// <param name="Owner">The receiver of the results; null keeps them until a client asks.</param>
    /// <param name="AllOrNone">Whether one refusal refuses all.</param>
    public sealed record Submit(IReadOnlyList<TaskSubmission> Tasks, TaskOwner? Owner, bool AllOrNone = false) : TaskCommand
    {
        /// <summary>The client that submits the tasks, for its share and its limits; null for no particular client.</summary>
        public ClientTaskQuota? Client { get; init; }
    }

    /// <summary>A worker's report, in one message.</summary>
    public sealed record Report(WorkerNode Worker, IReadOnlyList<AttemptReport> Results) : TaskCommand
    {
        /// <summary>Attempts returned unstarted.</summary>
        public IReadOnlyList<AttemptId> Returned { get; init; } = [];

        /// <summary>Progress, partial outputs and log lines.</summary>
        public IReadOnlyList<AttemptUpdate> Updates { get; init; } = [];
    }

    /// <summary>Cancel these tasks; unknown and ended ones are skipped.</summary>
    /// <param name="TaskIds">Their ids.</param>
    /// <param name="Force">Skip the cooperative rung.</param>
    public sealed record Cancel(IReadOnlyList<long> TaskIds, bool Force = false) : TaskCommand;

    /// <summary>Cancel the owner's unfinished tasks that carry one of these tags.</summary>
    public sealed record CancelTags(TaskOwner Owner, IReadOnlyCollection<ulong> Tags) : TaskCommand;

    /// <summary>The owner has disconnected: cancel or detach its tasks as it requested.</summary>
    public sealed record Abandon(TaskOwner Owner) : TaskCommand;

    /// <summary>A worker is ready for work; the engine's view of it is <see cref="TaskEffects.Joined"/>.</summary>
    /// <param name="Description">Its description of itself.</param>
    /// <param name="Handlers">The handlers that it offers.</param>
    /// <param name="Channel">The host's channel to it, kept in <see cref="WorkerNode.Channel"/>.</param>
    public sealed record WorkerJoined(WorkerDescription Description, IReadOnlyList<HandlerOffer> Handlers, object? Channel = null)
        : TaskCommand;

    /// <summary>The worker accepts no more work and returns unstarted attempts.</summary>
    public sealed record WorkerDraining(WorkerNode Worker) : TaskCommand;

    /// <summary>The worker's process has ended.</summary>
    /// <param name="Worker">The worker.</param>
    /// <param name="Recorder">The bytes of its flight recorder; null if it kept none.</param>
    /// <param name="PostMortem">The known facts about its end; null if it ended on request.</param>
    public sealed record WorkerLost(WorkerNode Worker, byte[]? Recorder, WorkerPostMortem? PostMortem) : TaskCommand;

    /// <summary>A group of worker processes has been given up: tasks that only it could run fail.</summary>
    public sealed record GroupGivenUp(GroupLoss Loss) : TaskCommand;

    /// <summary>
    /// The workers of a group that had been given up are started again: tasks that it could run wait for them. A worker that
    /// joins implies the same.
    /// </summary>
    public sealed record GroupStarting(string Group) : TaskCommand;

    /// <summary>A requested permit was granted.</summary>
    public sealed record PermitGranted(PermitQueue Queue) : TaskCommand;

    /// <summary>No permit will be granted, such as because the rate limiter was deleted: the tasks that wait for one fail.</summary>
    public sealed record PermitRefused(PermitQueue Queue, FailureReason Reason, string Message) : TaskCommand;

    /// <summary>Kill this worker as if one of its tasks had ignored its cancel.</summary>
    public sealed record Condemn(WorkerNode Worker) : TaskCommand;

    /// <summary>
    /// Notify a watcher of events of these tasks from now on. Those before are in <see cref="TaskEffects.WatchStarted"/>.
    /// </summary>
    /// <param name="Watcher">The watcher.</param>
    /// <param name="TaskIds">Their ids.</param>
    /// <param name="AfterSequence">The last event that the watcher has; 0 for none.</param>
    public sealed record Watch(TaskWatcher Watcher, IReadOnlyList<long> TaskIds, long AfterSequence = 0) : TaskCommand;

    /// <summary>Notify a watcher of these tasks no longer.</summary>
    public sealed record Unwatch(TaskWatcher Watcher, IReadOnlyList<long> TaskIds) : TaskCommand;

    /// <summary>Accept no new tasks from now on.</summary>
    public sealed record Drain : TaskCommand;

    /// <summary>Cancel everything that has no end state.</summary>
    public sealed record CancelAll : TaskCommand;
}

/// <summary>How one attempt ended, as its worker reports it.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Attempt">The attempt.</param>
/// <param name="Output">The output if it succeeded, opaque to the engine.</param>
/// <param name="OutputBytes">Its size.</param>
/// <param name="Failure">Why it failed; null if it succeeded.</param>
/// <param name="RunTicks">How long it ran, in ticks of 100 ns; 0 if it did not start.</param>
/// <param name="CpuTicks">Processor time, where measured.</param>
/// <param name="AllocatedBytes">Allocations, where measured.</param>
/// <param name="ReplyTicks">From its end until its report arrived, where measured.</param>
public readonly record struct AttemptReport(
    long TaskId,
    int Attempt,
    object? Output,
    int OutputBytes,
    TaskFailure? Failure,
    long RunTicks,
    long CpuTicks = 0,
    long AllocatedBytes = 0,
    long ReplyTicks = 0);

/// <summary>A report of an attempt before it ends.</summary>
public readonly record struct AttemptUpdate(long TaskId, int Attempt, TaskEventKind Kind, object? Content, int ContentBytes);

/// <summary>A handler that a worker offers.</summary>
/// <param name="Name">Its registered name.</param>
/// <param name="Kind">Its lane.</param>
/// <param name="Description">Opaque to the engine.</param>
public sealed record HandlerOffer(string Name, WorkKind Kind, object? Description);
