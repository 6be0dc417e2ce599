using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Queues;

/// <summary>A durable queue was created.</summary>
/// <param name="Spec">Its settings.</param>
public sealed record QueueCreated(QueueSpec Spec) : ObjectChange;

/// <summary>The owner of a durable queue that does not belong to the coordinator's owner.</summary>
/// <param name="Queue">Its name.</param>
/// <param name="Owner">The credential of its creator, see <see cref="ClientObjectQuota.Credential"/>.</param>
public sealed record QueueOwned(string Queue, string Owner) : ObjectChange;

/// <summary>A durable queue was dropped with all its items.</summary>
/// <param name="Queue">Its name.</param>
public sealed record QueueDropped(string Queue) : ObjectChange;

/// <summary>The changes of one engine step to a durable queue, to be redone in the order of the members.</summary>
/// <param name="Queue">Its name.</param>
/// <param name="Counts">Its counters after the step.</param>
public sealed record QueueChanged(string Queue, QueueCounts Counts) : ObjectChange
{
    /// <summary>Items that were added.</summary>
    public IReadOnlyList<KeptItem> Puts { get; init; } = [];

    /// <summary>Items that stay but were delivered, returned or delayed.</summary>
    public IReadOnlyList<ItemMove> Moves { get; init; } = [];

    /// <summary>Sequences of items that were removed.</summary>
    public IReadOnlyList<long> Removed { get; init; } = [];

    /// <summary>After an immediate shutdown: the sequences of the remaining items, which are leased; otherwise null.</summary>
    public IReadOnlyList<long>? Left { get; init; }
}

/// <summary>The counters of a queue.</summary>
/// <param name="LastSequence">The sequence of the last item that was ever put.</param>
/// <param name="Unfinished">Put and not yet done.</param>
/// <param name="DeadLettered">How many items went to the dead-letter queue.</param>
/// <param name="Dropped">How many items were dropped.</param>
/// <param name="IsShutDown">It accepts no more items.</param>
/// <param name="IsEmptied">Returned items are dropped, too.</param>
public readonly record struct QueueCounts(
    long LastSequence, long Unfinished, long DeadLettered, long Dropped, bool IsShutDown, bool IsEmptied);

/// <summary>A stored item of a queue.</summary>
/// <param name="Body">The payload, or a <see cref="DeadLetter"/> around it.</param>
/// <param name="Bytes">Its accounted size.</param>
/// <param name="Sequence">Its number in the queue.</param>
/// <param name="Priority">As it was put.</param>
/// <param name="PutAt">When.</param>
/// <param name="Deliveries">How often it was delivered.</param>
/// <param name="HasReturned">It is among the returned items, ahead of those that were never delivered.</param>
public readonly record struct KeptItem(object Body, int Bytes, long Sequence, long Priority, long PutAt, int Deliveries, bool HasReturned)
{
    /// <summary>Until when it is delayed; 0 if it is not.</summary>
    public long DelayedUntil { get; init; }
}

/// <summary>An item that stays in its queue was delivered, returned or delayed; if its session ends, it is returned.</summary>
/// <param name="Sequence">The item.</param>
/// <param name="Deliveries">How often it has been delivered.</param>
/// <param name="DelayedUntil">Until when it is delayed; 0 if it is not.</param>
public readonly record struct ItemMove(long Sequence, int Deliveries, long DelayedUntil);
