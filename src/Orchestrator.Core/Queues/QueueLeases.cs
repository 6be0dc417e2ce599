using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Queues;

/// <summary>The leases of taken items: one hold for each session and queue, however many items.</summary>
internal sealed class QueueLeases(IPrimitiveContext context, ulong lastId)
{
    /// <summary>The largest lease id assigned so far.</summary>
    public ulong LastId { get; private set; } = lastId;

    public QueueHold OpenHold(QueueState queue, Session session, string flow)
    {
        if (queue.FindHold(session) is { } hold)
        {
            hold.ShareWith(flow);
            return hold;
        }

        hold = new QueueHold(session, queue, flow, context.Now);
        queue.Add(hold);
        context.AddHold(hold);
        return hold;
    }

    /// <summary>Leases an item; returns the id of the lease.</summary>
    public ulong Open(QueueState queue, QueueHold hold, in QueueEntry entry, TimeSpan? duration)
    {
        var lease = new QueueLease(context.NextOrder(), ++LastId, queue, entry);
        queue.Add(lease, hold);
        if (duration is { } span)
        {
            queue.SetTimed(lease, true);
            context.SetTimer(lease, context.After(span));
        }

        return lease.Id;
    }

    /// <summary>Makes a restored item unavailable until a time.</summary>
    public void Delay(QueueState queue, in QueueEntry entry, long until)
    {
        var lease = new QueueLease(context.NextOrder(), ++LastId, queue, entry);
        queue.Delayed.Add(lease);
        context.SetTimer(lease, until);
    }

    public void End(QueueLease lease)
    {
        var hold = lease.Hold!;
        context.ClearTimer(lease);
        lease.Queue.Remove(lease);
        if (hold.Leases.Count > 0)
            return;
        lease.Queue.Remove(hold);
        context.RemoveHold(hold);
    }

    public void DropDelayed(QueueState queue)
    {
        while (queue.Delayed.First is { } delayed)
        {
            context.ClearTimer(delayed);
            queue.Remove(delayed);
        }
    }
}
