namespace Orchestrator.Core.Kernel;

/// <summary>Entries in an order: a binary heap in segments, so that growing copies nothing large.</summary>
internal sealed class EntryHeap(EntryOrder order)
{
    private const int PieceBits = 9;
    private const int PieceSize = 1 << PieceBits;

    private QueueEntry[][] _pieces = [];

    public int Count { get; private set; }

    public ref readonly QueueEntry First => ref At(0);

    public void Add(in QueueEntry entry)
    {
        if (Count == _pieces.Length << PieceBits || (Count < PieceSize && (_pieces.Length == 0 || Count == _pieces[0].Length)))
            Grow();
        var index = Count++;
        while (index > 0)
        {
            var parent = (index - 1) / 2;
            if (!order.Before(entry, At(parent)))
                break;
            At(index) = At(parent);
            index = parent;
        }

        At(index) = entry;
    }

    public QueueEntry RemoveFirst()
    {
        var first = At(0);
        var last = At(--Count);
        At(Count).Body = null!;
        if (Count > 0)
            Sink(last);
        Shrink();
        return first;
    }

    public void Clear()
    {
        _pieces = [];
        Count = 0;
    }

    /// <summary>Adds the first entries in their order to a list, without a look at the others.</summary>
    public void Peek(int maximum, List<QueueEntry> into)
    {
        // Every entry comes after its parent in the heap, so that the next is one of those whose parents were added.
        var next = new List<int>();
        if (Count > 0)
            next.Add(0);
        while (maximum-- > 0 && next.Count > 0)
        {
            var best = 0;
            for (var i = 1; i < next.Count; i++)
            {
                if (order.Before(At(next[i]), At(next[best])))
                    best = i;
            }

            var index = next[best];
            into.Add(At(index));
            next.RemoveAt(best);
            for (var child = (2 * index) + 1; child <= (2 * index) + 2 && child < Count; child++)
                next.Add(child);
        }
    }

    /// <summary>When the oldest entry was put. Scans all.</summary>
    public long OldestPut()
    {
        var oldest = long.MaxValue;
        for (var i = 0; i < Count; i++)
            oldest = Math.Min(oldest, At(i).PutAt);
        return oldest;
    }

    private ref QueueEntry At(int index) => ref _pieces[index >> PieceBits][index & (PieceSize - 1)];

    private void Sink(in QueueEntry entry)
    {
        var index = 0;
        while (true)
        {
            var child = (2 * index) + 1;
            if (child >= Count)
                break;
            if (child + 1 < Count && order.Before(At(child + 1), At(child)))
                child++;
            if (!order.Before(At(child), entry))
                break;
            At(index) = At(child);
            index = child;
        }

        At(index) = entry;
    }

    private void Grow()
    {
        if (Count is > 0 and < PieceSize)
        {
            Array.Resize(ref _pieces[0], _pieces[0].Length * 2);
            return;
        }

        Array.Resize(ref _pieces, _pieces.Length + 1);
        _pieces[^1] = new QueueEntry[Count == 0 ? 8 : PieceSize];
    }

    /// <summary>A segment is released when two are empty: not at each oscillation around its start.</summary>
    private void Shrink()
    {
        if (_pieces.Length > 1 && Count <= (_pieces.Length - 2) << PieceBits)
            Array.Resize(ref _pieces, _pieces.Length - 1);
    }
}
