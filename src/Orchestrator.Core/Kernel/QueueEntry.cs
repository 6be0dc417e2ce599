namespace Orchestrator.Core.Kernel;

/// <summary>A stored item: 40 bytes, in arrays, since there are millions.</summary>
internal struct QueueEntry
{
    /// <summary>The payload, or a dead letter around it.</summary>
    public object Body;
    public long PutAt;
    public long Priority;
    public long Sequence;
    public int Bytes;

    /// <summary>How often it was delivered so far.</summary>
    public int Deliveries;
}

/// <summary>The order in which entries are taken.</summary>
internal readonly struct EntryOrder(QueueKind kind, long aging)
{
    public bool Before(in QueueEntry left, in QueueEntry right) => kind switch
    {
        QueueKind.Fifo => left.Sequence < right.Sequence,
        QueueKind.Lifo => left.Sequence > right.Sequence,
        _ => PriorityBefore(left, right),
    };

    /// <summary>
    /// With aging the effective priorities at a time t are p − (t − put) / aging: t is the same on both sides, so the order of two entries
    /// never changes from that of put + p × aging, and a heap is enough.
    /// </summary>
    private bool PriorityBefore(in QueueEntry left, in QueueEntry right)
    {
        if (aging == 0)
            return left.Priority != right.Priority ? left.Priority < right.Priority : left.Sequence < right.Sequence;
        // 128 bits: both factors may use 64 bits.
        var a = ((Int128)left.Priority * aging) + left.PutAt;
        var b = ((Int128)right.Priority * aging) + right.PutAt;
        return a != b ? a < b : left.Sequence < right.Sequence;
    }
}
