using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Queues;

/// <summary>
/// A queue: ready, leased and delayed items, and its waiters. Its bounds count all items that it keeps, so that a consumer that leases and
/// never settles fills the queue, and not the memory. Gets wait only while nothing is ready.
/// </summary>
internal sealed class QueueState : NamedObject
{
    private readonly QueueSpec _spec;
    private readonly Dictionary<ulong, QueueLease> _leases = [];
    private readonly Dictionary<Session, QueueHold> _holds = [];
    private long _leasedBytes;
    private long _lastSequence;
    private int _timedLeases;

    /// <summary>Creates an empty one.</summary>
    /// <param name="spec">Its settings.</param>
    /// <param name="tally">Accounts for its content.</param>
    /// <param name="changed">Where a durable queue registers its changes; null for one in memory.</param>
    public QueueState(QueueSpec spec, ContentTally tally, List<QueueState>? changed)
        : base(ObjectKind.Queue, spec.Name)
    {
        _spec = spec;
        Tally = tally;
        Ready = new ReadyEntries(tally, spec.Kind, spec.Aging);
        Delayed = new LeaseList(tally);
        Log = changed is null ? null : new QueueLog(this, changed);
    }

    public QueueSpec Spec => _spec;

    /// <summary>Accounts for its content, with all other queues and pipes.</summary>
    public ContentTally Tally { get; }

    /// <summary>The changes of a durable queue; null where it is not durable.</summary>
    public QueueLog? Log { get; }

    public ReadyEntries Ready { get; }

    /// <summary>Items returned with a delay that has not passed.</summary>
    public LeaseList Delayed { get; }

    public WaiterQueue Getters { get; } = new();

    public WaiterQueue Putters { get; } = new();

    public WaiterQueue Joiners { get; } = new();

    /// <summary>
    /// Items put and not yet done. A separate count, as in Python: a done may be reported for an item that is still in the queue.
    /// </summary>
    public long Unfinished { get; set; }

    public bool IsShutDown { get; set; }

    /// <summary>It was shut down immediately: returned items are dropped, too.</summary>
    public bool IsEmptied { get; set; }

    public bool IsDropped { get; set; }

    /// <summary>When it was last used.</summary>
    public long LastUsed { get; set; }

    public ObjectTimer? IdleTimer { get; set; }

    public long DeadLettered { get; set; }

    public long Dropped { get; set; }

    public int LeasedCount => _leases.Count;

    public IReadOnlyCollection<QueueHold> Consumers => _holds.Values;

    public override bool HasWaiters => Getters.Count + Putters.Count + Joiners.Count > 0;

    /// <summary>Whether it may be dropped once this has lasted for its idle time.</summary>
    public bool IsIdle => KeptItems == 0 && !HasWaiters;

    /// <summary>Items in the queue: ready, leased or delayed.</summary>
    public long KeptItems => (long)Ready.Count + _leases.Count + Delayed.Count;

    private long KeptBytes => Ready.Bytes + _leasedBytes + Delayed.Bytes;

    public bool Fits(int items, long bytes) => KeptItems + items <= _spec.MaxItems && KeptBytes + bytes <= _spec.MaxBytes;

    /// <summary>Accepts as many items as fit, in order.</summary>
    /// <returns>How many.</returns>
    public int Accept(IReadOnlyList<PutItem> items, int from, long now)
    {
        var next = from;
        for (; next < items.Count && Fits(1, items[next].Body.Bytes); next++)
            Add(items[next].Body, items[next].Priority, now);
        return next - from;
    }

    public void Add(Content body, long priority, long now)
    {
        var entry = new QueueEntry { Body = body.Body, Bytes = body.Bytes, Priority = priority, PutAt = now, Sequence = ++_lastSequence };
        Ready.Add(entry);
        Log?.Put(entry, hasReturned: false);
        Unfinished++;
    }

    /// <summary>Returns a leased or delayed item to the front; after an immediate shutdown it is dropped.</summary>
    public void Return(in QueueEntry entry)
    {
        if (!IsEmptied)
        {
            Ready.Return(entry);
            return;
        }

        Dropped++;
        Log?.Remove(entry);
        Finished(1);
    }

    public void Finished(long count)
    {
        Unfinished = Math.Max(0, Unfinished - count);
        Log?.Touch();
    }

    /// <summary>Records that all items except the leased ones were dropped.</summary>
    public void LogEmptied() => Log?.Empty([.. _leases.Values.Select(lease => lease.Entry.Sequence)]);

    /// <summary>The numbers beside the items.</summary>
    public QueueCounts Counts => new(_lastSequence, Unfinished, DeadLettered, Dropped, IsShutDown, IsEmptied);

    /// <summary>Restores the counts of an earlier process.</summary>
    public void Restore(in QueueCounts counts)
    {
        _lastSequence = counts.LastSequence;
        Unfinished = counts.Unfinished;
        DeadLettered = counts.DeadLettered;
        Dropped = counts.Dropped;
        IsShutDown = counts.IsShutDown;
        IsEmptied = counts.IsEmptied;
    }

    public QueueLease? FindLease(ulong id) => _leases.GetValueOrDefault(id);

    public QueueHold? FindHold(Session session) => _holds.GetValueOrDefault(session);

    public void Add(QueueHold hold) => _holds.Add(hold.Session, hold);

    public void Remove(QueueHold hold) => _holds.Remove(hold.Session);

    public void Add(QueueLease lease, QueueHold hold)
    {
        lease.Hold = hold;
        hold.Leases.Add(lease);
        _leases.Add(lease.Id, lease);
        _leasedBytes += lease.Entry.Bytes;
    }

    public void Remove(QueueLease lease)
    {
        lease.List!.Remove(lease);
        if (lease.Hold is null)
            return;
        lease.Hold = null;
        _leases.Remove(lease.Id);
        _leasedBytes -= lease.Entry.Bytes;
        SetTimed(lease, false);
    }

    public void SetTimed(QueueLease lease, bool isTimed)
    {
        _timedLeases += (isTimed ? 1 : 0) - (lease.IsTimed ? 1 : 0);
        lease.IsTimed = isTimed;
    }

    /// <summary>
    /// The blockers are known only if all kept items are leased and only their sessions' ends return them: otherwise any getter may make
    /// room, any putter brings an item, and the end of a lease makes it ready. A waiter with leases of its own is assumed to settle them
    /// from another thread: a consumer beside a producer or a join is the usual case, and no deadlock.
    /// </summary>
    public override void AddBlockers(Wait wait, Blockers blockers)
    {
        if (Ready.Count > 0 || Delayed.Count > 0 || _timedLeases > 0 || wait.Session is not { } session || _holds.ContainsKey(session))
            return;
        if (wait.Command is JoinQueue && Unfinished <= _leases.Count)
        {
            blockers.Needed = Unfinished;
            foreach (var hold in _holds.Values)
                blockers.Add(hold.Flow, hold.Leases.Count);
        }
        else if (wait.Command is PutItems put)
        {
            // Room for its next item is the minimum it needs. The needs of waiters ahead are left out: this finds fewer cycles, and no
            // false ones.
            var byItems = KeptItems >= _spec.MaxItems;
            var missing = byItems ? 1 : KeptBytes + put.Items[Accepted(wait)].Body.Bytes - _spec.MaxBytes;
            if (missing <= 0)
                return;
            blockers.Needed = missing;
            foreach (var hold in _holds.Values)
                blockers.Add(hold.Flow, byItems ? hold.Leases.Count : hold.Leases.Bytes);
        }
    }

    public override ObjectOutcome? PartialOutcome(Wait wait) =>
        wait.Command is PutItems && Accepted(wait) is > 0 and var accepted ? new PutOutcome(WaitStatus.Timeout, accepted) : null;

    /// <summary>How many items of a waiting put have been accepted.</summary>
    public static int Accepted(Wait wait) => wait.Progress is { } accepted ? (int)accepted : 0;
}
