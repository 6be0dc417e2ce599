namespace Orchestrator.Core.Queues;

/// <summary>An item as it is kept: 40 bytes, in arrays, since there are millions.</summary>
internal struct QueueEntry
{
    /// <summary>The payload, or a <see cref="DeadLetter"/> around it.</summary>
    public object Body;
    public long PutAt;
    public long Priority;
    public long Sequence;
    public int Bytes;

    /// <summary>How often it was delivered so far.</summary>
    public int Deliveries;
}

/// <summary>Which of two entries is taken first.</summary>
internal readonly struct EntryOrder(QueueKind kind, long aging)
{
    public bool Before(in QueueEntry left, in QueueEntry right) => kind switch
    {
        QueueKind.Fifo => left.Sequence < right.Sequence,
        QueueKind.Lifo => left.Sequence > right.Sequence,
        _ => PriorityBefore(left, right),
    };

    /// <summary>
    /// With aging the effective priorities at a time t are p − (t − put) / aging: the t is the same on both sides, so the order of two entries
    /// is for ever that of put + p × aging, and a heap is enough.
    /// </summary>
    private bool PriorityBefore(in QueueEntry left, in QueueEntry right)
    {
        if (aging == 0)
            return left.Priority != right.Priority ? left.Priority < right.Priority : left.Sequence < right.Sequence;
        // 128 bits: both factors may be as large as 64 bits are.
        var a = ((Int128)left.Priority * aging) + left.PutAt;
        var b = ((Int128)right.Priority * aging) + right.PutAt;
        return a != b ? a < b : left.Sequence < right.Sequence;
    }
}
