using Orchestrator.Core.Common;

namespace Orchestrator.Core.TaskModel;

/// <summary>
/// The work that the host has to do after a command, as data. One instance is reused under the engine's lock: take its contents, then
/// <see cref="Clear"/> it.
/// </summary>
public sealed class TaskEffects
{
    /// <summary>The outcomes of a <c>TaskCommand.Submit</c>, in its order.</summary>
    public List<SubmitOutcome> Submitted { get; } = [];

    /// <summary>Attempts to send to workers, in the order in which each worker is to start them.</summary>
    public List<AttemptAssignment> Assignments { get; } = [];

    /// <summary>Attempts to cancel or to request back; to be sent after <see cref="Assignments"/>.</summary>
    public List<AttemptSignal> Signals { get; } = [];

    /// <summary>Results to deliver to their owners, in the order in which the tasks ended.</summary>
    public List<Delivery> Deliveries { get; } = [];

    /// <summary>Events for watchers and for owners that requested them.</summary>
    public List<Notification> Notifications { get; } = [];

    /// <summary>Orders that concern worker processes.</summary>
    public List<WorkerOrder> Orders { get; } = [];

    /// <summary>Permits of rate limiters to request or to return.</summary>
    public List<PermitOrder> Permits { get; } = [];

    /// <summary>Ids of the tasks that a cancel affected.</summary>
    public List<long> Cancelled { get; } = [];

    /// <summary>Whether the host wants <see cref="Ended"/>; set by it between commands.</summary>
    public bool ListsEnds { get; set; }

    /// <summary>Tasks that have ended, those without an owner too, if <see cref="ListsEnds"/>.</summary>
    public List<TaskRecord> Ended { get; } = [];

    /// <summary>The engine's view of the worker that joined.</summary>
    public WorkerNode? Joined { get; internal set; }

    /// <summary>What a <c>TaskCommand.Watch</c> found.</summary>
    public WatchStart? WatchStarted { get; internal set; }

    /// <summary>Changes of durable tasks, in order: to be journaled before any effect that concerns these tasks.</summary>
    public List<TaskChange> Changes { get; } = [];

    /// <summary>The highest durability among <see cref="Changes"/>; all of them are written with it.</summary>
    public Durability Level { get; internal set; } = Durability.Memory;

    /// <summary>Empties it for the next command.</summary>
    public void Clear()
    {
        Submitted.Clear();
        Assignments.Clear();
        Signals.Clear();
        Deliveries.Clear();
        Notifications.Clear();
        Orders.Clear();
        Permits.Clear();
        Cancelled.Clear();
        Ended.Clear();
        Joined = null;
        WatchStarted = null;
        if (Changes.Count == 0)
            return;
        Changes.Clear();
        Level = Durability.Memory;
    }
}

/// <summary>The state of the watched tasks when a watch began.</summary>
/// <param name="Past">Their kept events after the last that the watcher has, in order.</param>
/// <param name="Had">
/// How many events of each task the watcher already had: less than the count of the first event, if some in between are no longer kept.
/// </param>
/// <param name="Unfinished">How many of the tasks have no end state.</param>
/// <param name="UnknownIds">Ids of no known task.</param>
public sealed record WatchStart(
    IReadOnlyList<TaskEventRecord> Past, IReadOnlyDictionary<long, EventCounts> Had, int Unfinished, IReadOnlyList<long> UnknownIds);

/// <summary>Send this attempt to this worker. Carries the input, since the record releases it when the task ends.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="Task">The task.</param>
/// <param name="Attempt">The number of the attempt; 1 is the first.</param>
/// <param name="Slot">Its place in the worker's flight recorder.</param>
/// <param name="Input">The task's input, opaque to the engine.</param>
/// <param name="IsUrgent">Whether it is to leave at once, and not to wait until others share its message.</param>
public readonly record struct AttemptAssignment(
    WorkerNode Worker, TaskRecord Task, int Attempt, int Slot, object? Input, bool IsUrgent = false);

/// <summary>Signal a worker about an attempt that it holds.</summary>
public readonly record struct AttemptSignal(WorkerNode Worker, long TaskId, int Attempt, SignalKind Kind);

/// <summary>The signals to a worker about an attempt.</summary>
public enum SignalKind : byte
{
    /// <summary>Cancel it.</summary>
    Cancel,

    /// <summary>Return it if it has not started.</summary>
    GiveBack,
}

/// <summary>Deliver an ended task to an owner.</summary>
public readonly record struct Delivery(TaskOwner Owner, TaskRecord Task, ulong Tag);

/// <summary>Notify a watcher, or an owner that requested events. One of the two is null.</summary>
public readonly record struct Notification(TaskWatcher? Watcher, TaskOwner? Owner, TaskEventRecord Event);

/// <summary>Request one permit of a rate limiter, or return the granted one.</summary>
public readonly record struct PermitOrder(PermitQueue Queue, PermitOrderKind Kind);

/// <summary>The orders that concern a permit.</summary>
public enum PermitOrderKind : byte
{
    /// <summary>Request one; the answer is <c>TaskCommand.PermitGranted</c> or <c>TaskCommand.PermitRefused</c>.</summary>
    Ask,

    /// <summary>The granted permit is no longer needed.</summary>
    GiveBack,
}

/// <summary>An order that concerns a worker process.</summary>
public readonly record struct WorkerOrder(WorkerNode Worker, WorkerOrderKind Kind);

/// <summary>The orders that concern a worker process.</summary>
public enum WorkerOrderKind : byte
{
    /// <summary>It gets no new work; a successor takes its slot now; it is killed when <see cref="Kill"/> follows.</summary>
    Condemn,

    /// <summary>It runs no uninvolved attempts any more, or its time is over: end it.</summary>
    Kill,
}
