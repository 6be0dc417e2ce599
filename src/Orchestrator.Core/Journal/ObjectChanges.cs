using Orchestrator.Core.Objects;
using Orchestrator.Core.Queues;
using Orchestrator.Core.State;

namespace Orchestrator.Core.Journal;

/// <summary>
/// Something that a durable object has become, to be written down before anybody is told. Changes and not commands, since what a command does
/// to a durable object may depend on sessions, waits and timers that do not outlive the process. Immutable; times are the engine's, in ticks.
/// </summary>
public abstract record ObjectChange;

/// <summary>A durable queue came into being.</summary>
/// <param name="Spec">What it is.</param>
public sealed record QueueCreated(QueueSpec Spec) : ObjectChange;

/// <summary>A durable queue is not the coordinator's owner's.</summary>
/// <param name="Queue">Its name.</param>
/// <param name="Owner">The credential of who created it, see <see cref="Sessions.ClientObjectQuota.Credential"/>.</param>
public sealed record QueueOwned(string Queue, string Owner) : ObjectChange;

/// <summary>A durable queue is gone, with all that was in it.</summary>
/// <param name="Queue">Its name.</param>
public sealed record QueueDropped(string Queue) : ObjectChange;

/// <summary>What one step of the engine did to a durable queue, to be redone in the order of the members.</summary>
/// <param name="Queue">Its name.</param>
/// <param name="Counts">Its numbers after the step.</param>
public sealed record QueueChanged(string Queue, QueueCounts Counts) : ObjectChange
{
    /// <summary>Items that are in it now and were not before.</summary>
    public IReadOnlyList<KeptItem> Puts { get; init; } = [];

    /// <summary>Items that stay but were delivered, given back or delayed.</summary>
    public IReadOnlyList<ItemMove> Moves { get; init; } = [];

    /// <summary>Sequences of items that are in it no more.</summary>
    public IReadOnlyList<long> Gone { get; init; } = [];

    /// <summary>After an immediate shutdown: the sequences of the only items that are left, those that are leased; null otherwise.</summary>
    public IReadOnlyList<long>? Left { get; init; }
}

/// <summary>The numbers of a queue beside its items.</summary>
/// <param name="LastSequence">The sequence of the last item that was ever put.</param>
/// <param name="Unfinished">Put and not yet done.</param>
/// <param name="DeadLettered">How many items went to the dead-letter queue.</param>
/// <param name="Dropped">How many items were dropped.</param>
/// <param name="IsShutDown">It takes no more.</param>
/// <param name="IsEmptied">What comes back is dropped, too.</param>
public readonly record struct QueueCounts(long LastSequence, long Unfinished, long DeadLettered, long Dropped, bool IsShutDown, bool IsEmptied);

/// <summary>An item of a queue as it is kept.</summary>
/// <param name="Body">The payload, or a <see cref="DeadLetter"/> around it.</param>
/// <param name="Bytes">What it counts for.</param>
/// <param name="Sequence">Its number in the queue.</param>
/// <param name="Priority">As it was put.</param>
/// <param name="PutAt">When.</param>
/// <param name="Deliveries">How often it was delivered.</param>
/// <param name="HasReturned">It stands with those that came back, ahead of those that never left.</param>
public readonly record struct KeptItem(object Body, int Bytes, long Sequence, long Priority, long PutAt, int Deliveries, bool HasReturned)
{
    /// <summary>Until when it is delayed; 0 where it is not.</summary>
    public long DelayedUntil { get; init; }
}

/// <summary>An item that stays in its queue was delivered, given back or delayed; if its session ends, it comes back.</summary>
/// <param name="Sequence">Which.</param>
/// <param name="Deliveries">How often it was delivered by now.</param>
/// <param name="DelayedUntil">Until when it is delayed; 0 where it is not.</param>
public readonly record struct ItemMove(long Sequence, int Deliveries, long DelayedUntil);

/// <summary>A durable dict, list, value or array came into being.</summary>
/// <param name="Kind">Which of them.</param>
/// <param name="Name">Its name.</param>
/// <param name="Durability">Its level.</param>
/// <param name="Version">Its version before its first change.</param>
/// <param name="Owner">The credential of who changed it first, see <see cref="Sessions.ClientObjectQuota.Credential"/>.</param>
public sealed record StateBegun(ObjectKind Kind, string Name, Durability Durability, ulong Version, string Owner) : ObjectChange;

/// <summary>A durable object of shared state changed.</summary>
/// <param name="Kind">Which of them.</param>
/// <param name="Name">Its name.</param>
/// <param name="Change">How.</param>
public sealed record StateEdited(ObjectKind Kind, string Name, StateChange Change) : ObjectChange;

/// <summary>An entry of a durable dict lives so long, whatever it was before.</summary>
/// <param name="Dict">The dict.</param>
/// <param name="Key">The entry.</param>
/// <param name="Deadline">Until when; <see cref="long.MaxValue"/> without end.</param>
public sealed record EntryLives(string Dict, string Key, long Deadline) : ObjectChange;

/// <summary>The numbers of a durable array are of this type.</summary>
/// <param name="Array">The array.</param>
/// <param name="IsReal">Whether they are doubles.</param>
public sealed record ArrayTyped(string Array, bool IsReal) : ObjectChange;

/// <summary>A durable object of shared state is gone.</summary>
/// <param name="Kind">Which of them.</param>
/// <param name="Name">Its name.</param>
/// <param name="Floor">The version from which another of its name begins.</param>
public sealed record StateDeleted(ObjectKind Kind, string Name, ulong Floor) : ObjectChange;

/// <summary>The outcome of a request that may be sent again, by somebody without a session.</summary>
/// <param name="RequestId">Its id.</param>
/// <param name="Command">The type of its command.</param>
/// <param name="Outcome">What it was answered.</param>
/// <param name="At">When.</param>
public sealed record RequestAnswered(string RequestId, Type Command, ObjectOutcome Outcome, long At) : ObjectChange;
