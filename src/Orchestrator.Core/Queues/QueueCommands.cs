using Orchestrator.Core.Objects;
using Orchestrator.Core.Sessions;

namespace Orchestrator.Core.Queues;

/// <summary>Creates a queue, or answers with the existing one when all of it agrees. Errors: INVALID, KIND_MISMATCH, LIMIT_EXCEEDED.</summary>
/// <param name="Spec">What it shall be.</param>
public sealed record CreateQueue(QueueSpec Spec) : ObjectCommand
{
    internal override bool CanBeUndone => false;

    internal override void ApplyTo(ObjectEngine engine) => engine.OnCreateQueue(this);
}

/// <summary>The queue is there.</summary>
/// <param name="Queue">As it is now.</param>
public sealed record CreateQueueOutcome(QueueInfo Queue) : ObjectOutcome;

/// <summary>
/// Puts items, in order: waits while the queue is full, and takes in as many as fit. What was taken in stays in the queue however the wait
/// ends, and if the outcome cannot be delivered: an id that is sent again is answered with how many those were.
/// </summary>
/// <remarks>
/// Errors: INVALID (also for an item that could never fit), NOT_FOUND, DEADLOCK, LIMIT_EXCEEDED, SESSION_LOST, CANCELLED; nothing was put then,
/// except that a session's end does not take back what was taken in before.
/// </remarks>
/// <param name="Queue">Its name.</param>
/// <param name="Items">At least one. Not to be changed by the caller until the outcome is there.</param>
public sealed record PutItems(string Queue, IReadOnlyList<PutItem> Items) : WaitingCommand
{
    internal override bool CanBeUndone => false;

    internal override ObjectOutcome TimedOut => PutOutcome.TimedOut;

    internal override long ContentBytes
    {
        get
        {
            // No enumerator: this is asked of every put.
            var bytes = (long)ContentTally.EntryBytes * Items.Count;
            for (var i = 0; i < Items.Count; i++)
                bytes += Items[i].Body.Bytes;
            return bytes;
        }
    }

    internal override void ApplyTo(ObjectEngine engine) => engine.OnPutItems(this);
}

/// <summary>How a put ended.</summary>
/// <param name="Status">Ok when all were accepted; timeout or shut down, or how a cancelled wait had got somewhere (timeout).</param>
/// <param name="Accepted">How many, from the first.</param>
public sealed record PutOutcome(WaitStatus Status, int Accepted) : ObjectOutcome
{
    internal static PutOutcome One { get; } = new(WaitStatus.Ok, 1);

    internal static PutOutcome TimedOut { get; } = new(WaitStatus.Timeout, 0);

    internal static PutOutcome All(int count) => count == 1 ? One : new PutOutcome(WaitStatus.Ok, count);
}

/// <summary>
/// Takes items: waits while there is none, then takes what is there, at most so many. Given back, they return to the front as if they had not
/// been delivered; that may exceed the queue's bounds for a while. A consumer with credits is a waiting get of as many items.
/// </summary>
/// <remarks>Errors: INVALID, NOT_FOUND (also when the queue is deleted meanwhile), LIMIT_EXCEEDED, SESSION_LOST, CANCELLED.</remarks>
/// <param name="Queue">Its name.</param>
/// <param name="MaxItems">The most to take; 0 means 1.</param>
/// <param name="Leased">Lease them until they are settled, instead of taking them for good.</param>
public sealed record GetItems(string Queue, int MaxItems = 1, bool Leased = false) : WaitingCommand
{
    /// <summary>
    /// How long a lease lasts at most; null lasts as long as the session. A get without a session gets one of its own, which lives as long as the lease,
    /// or the default time to live of sessions.
    /// </summary>
    public TimeSpan? Lease { get; init; }

    /// <summary>The most bytes to take at once, except that one item is always taken: what fits in the answer.</summary>
    public long MaxBytes { get; init; } = long.MaxValue;

    internal override bool IsKeptBriefly => !Leased;

    internal override ObjectOutcome TimedOut => GetOutcome.TimedOut;

    internal override void ApplyTo(ObjectEngine engine) => engine.OnGetItems(this);

    internal override void Undo(ObjectEngine engine, ObjectOutcome outcome) => engine.UndoGetItems((GetOutcome)outcome);
}

/// <summary>How a get ended.</summary>
/// <param name="Status">Ok, timeout, or shut down with nothing left.</param>
/// <param name="Items">What was taken, in order.</param>
/// <param name="Session">Who owns the leases; null where nothing was leased.</param>
public sealed record GetOutcome(WaitStatus Status, IReadOnlyList<QueueItem> Items, Session? Session) : ObjectOutcome
{
    internal static GetOutcome TimedOut { get; } = new(WaitStatus.Timeout, [], null);

    internal static GetOutcome ShutDown { get; } = new(WaitStatus.ShutDown, [], null);

    /// <inheritdoc/>
    public override int Bytes
    {
        get
        {
            var bytes = 0L;
            foreach (var item in Items)
                bytes += item.Entry.Bytes;
            return (int)Math.Min(int.MaxValue, bytes);
        }
    }

    /// <summary>Where the items came from: not another queue of the same name.</summary>
    internal QueueState? Source { get; init; }

    /// <summary>What was taken for good has nothing that tells whether it is back already: given back twice, it would be there twice.</summary>
    internal bool IsGivenBack { get; set; }
}

/// <summary>
/// Waits until every item that was put is done. Errors: INVALID, NOT_FOUND, DEADLOCK (all that is unfinished is leased by sessions
/// that wait for this one), LIMIT_EXCEEDED, SESSION_LOST, CANCELLED.
/// </summary>
/// <param name="Queue">Its name.</param>
public sealed record JoinQueue(string Queue) : WaitingCommand
{
    internal override ObjectOutcome TimedOut => throw new NotSupportedException("the queue says how many are unfinished");

    internal override void ApplyTo(ObjectEngine engine) => engine.OnJoinQueue(this);
}

/// <summary>How a join ended.</summary>
/// <param name="Status">Ok or timeout.</param>
/// <param name="Unfinished">How many items were unfinished then.</param>
public sealed record JoinOutcome(WaitStatus Status, long Unfinished) : ObjectOutcome
{
    internal static JoinOutcome Finished { get; } = new(WaitStatus.Ok, 0);
}
