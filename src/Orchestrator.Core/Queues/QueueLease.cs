using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Queues;

/// <summary>
/// An item that is temporarily unavailable: leased to a session, or, after a RETURN with a delay, without an owner. Its timer ends it;
/// without a timer a lease lives as long as its session.
/// </summary>
internal sealed class QueueLease(long order, ulong id, QueueState queue, in QueueEntry entry) : ObjectTimer(order)
{
    public readonly QueueEntry Entry = entry;
    public LeaseList? List;
    public QueueLease? Previous;
    public QueueLease? Next;

    public ulong Id => id;

    public QueueState Queue => queue;

    public override NamedObject Object => queue;

    /// <summary>The hold of its session; null while it is delayed.</summary>
    public QueueHold? Hold { get; set; }

    /// <summary>Whether a timer ends it, and not only its session.</summary>
    public bool IsTimed { get; set; }

    /// <summary>The settlement in progress names it: if it is named twice, it is stale the second time.</summary>
    public bool IsBeingSettled { get; set; }
}

/// <summary>A session's leases of one queue: one hold, however many items.</summary>
internal sealed class QueueHold(Session session, QueueState queue, string flow, long since) : Hold(session, queue, flow, since)
{
    public LeaseList Leases { get; } = new(queue.Tally);
}

/// <summary>Leases in the order in which they began.</summary>
internal sealed class LeaseList(ContentTally tally)
{
    private QueueLease? _last;

    public QueueLease? First { get; private set; }

    public int Count { get; private set; }

    public long Bytes { get; private set; }

    public void Add(QueueLease lease)
    {
        lease.List = this;
        lease.Previous = _last;
        if (_last is { } last)
            last.Next = lease;
        else
            First = lease;
        _last = lease;
        Count++;
        Bytes += lease.Entry.Bytes;
        tally.Add(lease.Entry);
    }

    public void Remove(QueueLease lease)
    {
        if (lease.Previous is { } previous)
            previous.Next = lease.Next;
        else
            First = lease.Next;
        if (lease.Next is { } next)
            next.Previous = lease.Previous;
        else
            _last = lease.Previous;
        lease.List = null;
        lease.Previous = lease.Next = null;
        Count--;
        Bytes -= lease.Entry.Bytes;
        tally.Remove(lease.Entry);
    }
}
