using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Queues;

/// <summary>How leased items are settled; the numbers are those of <c>orchestrator.v1.Settlement</c>.</summary>
public enum Settlement : byte
{
    /// <summary>They are done: removed, and counted as finished.</summary>
    Done = 1,

    /// <summary>Back to the front, at once or after a delay; an item with too many deliveries becomes a dead letter instead.</summary>
    Return = 2,

    /// <summary>To the dead-letter queue; dropped and counted if there is none, or if it is full or shut down. Finished here.</summary>
    Reject = 3,

    /// <summary>The lease ends this long from now, whatever it was before.</summary>
    Extend = 4,
}

/// <summary>
/// Settles leased items. With a session only its own leases, without one any named leases. Errors: INVALID, NOT_FOUND; stale leases are no
/// error.
/// </summary>
/// <param name="Queue">Its name.</param>
/// <param name="LeaseIds">Which.</param>
/// <param name="Settlement">How.</param>
public sealed record SettleItems(string Queue, IReadOnlyList<ulong> LeaseIds, Settlement Settlement) : ObjectCommand
{
    /// <summary>
    /// For EXTEND the new lease; for RETURN the delay before the next delivery, null or zero for none. Not for the others.
    /// </summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>For REJECT: why, for people.</summary>
    public string Reason { get; init; } = "";

    internal override bool CanBeUndone => false;

    internal override ObjectKind Primitive => ObjectKind.Queue;
}

/// <summary>Leases were settled.</summary>
/// <param name="Settled">How many.</param>
/// <param name="StaleLeaseIds">Leases that were not settled: settled or ended before, or of another session. Nothing changed for
/// them.</param>
public sealed record SettleOutcome(int Settled, IReadOnlyList<ulong> StaleLeaseIds) : ObjectOutcome;

/// <summary>
/// Items that were taken permanently are done. Errors: OVER_RELEASED (more than are unfinished, and nothing changes), INVALID,
/// NOT_FOUND.
/// </summary>
/// <param name="Queue">Its name.</param>
/// <param name="Count">How many; 0 means 1.</param>
public sealed record MarkItemsDone(string Queue, int Count = 1) : ObjectCommand
{
    internal override bool CanBeUndone => false;

    internal override ObjectKind Primitive => ObjectKind.Queue;
}

/// <summary>The remaining number of unfinished items.</summary>
/// <param name="Unfinished">How many.</param>
public sealed record MarkDoneOutcome(long Unfinished) : ObjectOutcome;

/// <summary>
/// The queue accepts no more items: later and waiting puts end with SHUT_DOWN, and gets once nothing is ready. Joins continue. Errors:
/// INVALID, NOT_FOUND.
/// </summary>
/// <param name="Queue">Its name.</param>
/// <param name="Immediate">
/// Also drop ready and delayed items, as finished; leased items still count until they are settled, and are dropped if they are returned.
/// </param>
public sealed record ShutDownQueue(string Queue, bool Immediate = false) : ObjectCommand
{
    internal override bool CanBeUndone => false;

    internal override ObjectKind Primitive => ObjectKind.Queue;
}

/// <summary>The queue is shut down.</summary>
/// <param name="Dropped">How many items were dropped.</param>
public sealed record ShutDownQueueOutcome(long Dropped) : ObjectOutcome;

/// <summary>Deletes the queue with all its items; its waiters get NOT_FOUND. Errors: INVALID, NOT_FOUND.</summary>
/// <param name="Queue">Its name.</param>
public sealed record DeleteQueue(string Queue) : ObjectCommand
{
    internal override bool CanBeUndone => false;

    internal override ObjectKind Primitive => ObjectKind.Queue;
}

/// <summary>A queue's current state.</summary>
/// <param name="Spec">Its settings, with the defaults filled in.</param>
public sealed record QueueInfo(QueueSpec Spec)
{
    /// <summary>How many items were ever put.</summary>
    public long PutItems { get; init; }

    /// <summary>How many items can be taken now.</summary>
    public long ReadyItems { get; init; }

    /// <summary>How many are leased.</summary>
    public long LeasedItems { get; init; }

    /// <summary>How many were returned with a delay that has not passed.</summary>
    public long DelayedItems { get; init; }

    /// <summary>Put and not yet done.</summary>
    public long UnfinishedItems { get; init; }

    /// <summary>The size of the ready items.</summary>
    public long ReadyBytes { get; init; }

    /// <summary>How many gets wait.</summary>
    public int WaitingGetters { get; init; }

    /// <summary>How many puts wait.</summary>
    public int WaitingPutters { get; init; }

    /// <summary>How many joins wait.</summary>
    public int WaitingJoiners { get; init; }

    /// <summary>Whether it was shut down.</summary>
    public bool IsShutDown { get; init; }

    /// <summary>How long ago the oldest item that can be taken was put; null when there is none.</summary>
    public TimeSpan? OldestAge { get; init; }

    /// <summary>How many items went to the dead-letter queue.</summary>
    public long DeadLettered { get; init; }

    /// <summary>How many items were dropped: rejected without a dead-letter queue that took them, or by an immediate shutdown.</summary>
    public long Dropped { get; init; }

    /// <summary>The credential of its creator; empty for the coordinator's owner.</summary>
    public string Owner { get; init; } = "";
}
