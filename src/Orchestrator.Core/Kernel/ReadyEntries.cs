namespace Orchestrator.Core.Kernel;

/// <summary>
/// Items that can be taken now, in the order of the queue's kind. Returned items come before those that were never delivered, in the kind's
/// own order; in a priority queue a returned item takes its old place, the first among its equals.
/// </summary>
internal sealed class ReadyEntries(ContentTally tally, QueueKind kind, TimeSpan? aging = null)
{
    private readonly EntryBuffer _buffer = new();

    // Returned entries; for a priority queue all entries.
    private readonly EntryHeap _heap = new(new EntryOrder(kind, aging?.Ticks ?? 0));

    public int Count => _buffer.Count + _heap.Count;

    public long Bytes { get; private set; }

    /// <summary>The size of the next item.</summary>
    public int NextBytes => _heap.Count > 0 ? _heap.First.Bytes : kind == QueueKind.Lifo ? _buffer.Last.Bytes : _buffer.First.Bytes;

    public void Add(in QueueEntry entry)
    {
        Bytes += entry.Bytes;
        tally.Add(entry);
        if (kind == QueueKind.Priority)
            _heap.Add(entry);
        else
            _buffer.AddLast(entry);
    }

    public void Return(in QueueEntry entry)
    {
        Bytes += entry.Bytes;
        tally.Add(entry);
        _heap.Add(entry);
    }

    public QueueEntry Take()
    {
        var entry = _heap.Count > 0 ? _heap.RemoveFirst() : kind == QueueKind.Lifo ? _buffer.RemoveLast() : _buffer.RemoveFirst();
        Bytes -= entry.Bytes;
        tally.Remove(entry);
        return entry;
    }

    public void Clear()
    {
        tally.RemoveAll(Count, Bytes);
        _buffer.Clear();
        _heap.Clear();
        Bytes = 0;
    }

    /// <summary>The entries that would be taken next, in order.</summary>
    public List<QueueEntry> Peek(int maximum)
    {
        var next = new List<QueueEntry>(Math.Min(maximum, Count));
        _heap.Peek(maximum, next);
        _buffer.Peek(fromEnd: kind == QueueKind.Lifo, maximum - next.Count, next);
        return next;
    }

    /// <summary>When the oldest was put; null if there is none. Scans all of a priority queue.</summary>
    public long? OldestPut()
    {
        if (Count == 0)
            return null;
        var oldest = _heap.OldestPut();
        return _buffer.Count > 0 ? Math.Min(oldest, _buffer.First.PutAt) : oldest;
    }
}
