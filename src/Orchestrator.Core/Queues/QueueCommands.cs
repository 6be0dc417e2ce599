using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Queues;

/// <summary>
/// Creates a queue, or answers with the existing one if all its settings agree. Errors: INVALID, KIND_MISMATCH, LIMIT_EXCEEDED.
/// </summary>
/// <param name="Spec">Its settings.</param>
public sealed record CreateQueue(QueueSpec Spec) : ObjectCommand
{
    internal override bool CanBeUndone => false;

    internal override ObjectKind Primitive => ObjectKind.Queue;
}

/// <summary>The queue exists.</summary>
/// <param name="Queue">As it is now.</param>
public sealed record CreateQueueOutcome(QueueInfo Queue) : ObjectOutcome;

/// <summary>
/// Puts items, in order: waits while the queue is full, and adds as many as fit. Accepted items stay in the queue however the wait ends,
/// even if the outcome cannot be delivered: a repeated id is answered with their number.
/// </summary>
/// <remarks>
/// Errors: INVALID (also for an item that could never fit), NOT_FOUND, DEADLOCK, LIMIT_EXCEEDED, SESSION_LOST, CANCELLED; nothing was put
/// then, except that a session's end does not remove items that were accepted before.
/// </remarks>
/// <param name="Queue">Its name.</param>
/// <param name="Items">At least one. The caller must not change it before the outcome.</param>
public sealed record PutItems(string Queue, IReadOnlyList<PutItem> Items) : WaitingCommand
{
    internal override bool CanBeUndone => false;

    internal override ObjectOutcome TimedOut => PutOutcome.TimedOut;

    internal override long ContentBytes
    {
        get
        {
            // No enumerator: every put runs this.
            var bytes = (long)ContentTally.EntryBytes * Items.Count;
            for (var i = 0; i < Items.Count; i++)
                bytes += Items[i].Body.Bytes;
            return bytes;
        }
    }

    internal override (string Field, int Bytes)? FindLarge(int limit) =>
        FirstAbove(limit, Items, static item => item.Body.Bytes, static (_, i) => $"items[{i}].body");

    internal override ObjectKind Primitive => ObjectKind.Queue;
}

/// <summary>How a put ended.</summary>
/// <param name="Status">Ok if all were accepted; timeout or shut down; timeout also for a cancelled wait with some accepted items.</param>
/// <param name="Accepted">How many, from the first.</param>
public sealed record PutOutcome(WaitStatus Status, int Accepted) : ObjectOutcome
{
    /// <inheritdoc/>
    public override bool IsSuccess => Status == WaitStatus.Ok;

    internal static PutOutcome One { get; } = new(WaitStatus.Ok, 1);

    internal static PutOutcome TimedOut { get; } = new(WaitStatus.Timeout, 0);

    internal static PutOutcome All(int count) => count == 1 ? One : new PutOutcome(WaitStatus.Ok, count);
}

/// <summary>
/// Takes items: waits while there is none, then takes the available ones, up to a maximum. When the outcome is undone, they return to the
/// front as if never delivered; that may exceed the queue's bounds for a while. A consumer with credits is a waiting get for as many items.
/// </summary>
/// <remarks>Errors: INVALID, NOT_FOUND (also when the queue is deleted meanwhile), LIMIT_EXCEEDED, SESSION_LOST, CANCELLED.</remarks>
/// <param name="Queue">Its name.</param>
/// <param name="MaxItems">The most to take; 0 means 1.</param>
/// <param name="Leased">Lease them until they are settled, instead of taking them permanently.</param>
public sealed record GetItems(string Queue, int MaxItems = 1, bool Leased = false) : WaitingCommand
{
    /// <summary>
    /// How long a lease lasts at most; null lasts as long as the session. A get without a session gets its own session, which lives as long
    /// as the lease, or for the default time to live of sessions.
    /// </summary>
    public TimeSpan? Lease { get; init; }

    /// <summary>The most bytes to take at once, except that one item is always taken: the limit of the response's size.</summary>
    public long MaxBytes { get; init; } = long.MaxValue;

    internal override bool IsKeptBriefly => !Leased;

    internal override ObjectOutcome TimedOut => GetOutcome.TimedOut;

    internal override ObjectKind Primitive => ObjectKind.Queue;
}

/// <summary>How a get ended.</summary>
/// <param name="Status">Ok, timeout, or shut down with nothing left.</param>
/// <param name="Items">What was taken, in order.</param>
/// <param name="Session">The owner of the leases; null where nothing was leased.</param>
public sealed record GetOutcome(WaitStatus Status, IReadOnlyList<QueueItem> Items, Session? Session) : ObjectOutcome
{
    /// <inheritdoc/>
    public override bool IsSuccess => Status == WaitStatus.Ok;

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

    /// <summary>The queue that the items came from: not another one of the same name.</summary>
    internal QueueState? Source { get; init; }

    /// <summary>Items taken permanently carry no mark that they were returned: returned twice, they would be in the queue twice.</summary>
    internal bool IsGivenBack { get; set; }
}

/// <summary>
/// Waits until every item that was put is done. Errors: INVALID, NOT_FOUND, DEADLOCK (all unfinished items are leased by sessions that wait
/// for this one), LIMIT_EXCEEDED, SESSION_LOST, CANCELLED.
/// </summary>
/// <param name="Queue">Its name.</param>
public sealed record JoinQueue(string Queue) : WaitingCommand
{
    internal override ObjectOutcome TimedOut => throw new NotSupportedException("the queue says how many are unfinished");

    internal override ObjectKind Primitive => ObjectKind.Queue;
}

/// <summary>How a join ended.</summary>
/// <param name="Status">Ok or timeout.</param>
/// <param name="Unfinished">How many items were unfinished then.</param>
public sealed record JoinOutcome(WaitStatus Status, long Unfinished) : ObjectOutcome
{
    /// <inheritdoc/>
    public override bool IsSuccess => Status == WaitStatus.Ok;

    internal static JoinOutcome Finished { get; } = new(WaitStatus.Ok, 0);
}
