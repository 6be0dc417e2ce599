namespace Orchestrator.Core.Kernel;

/// <summary>
/// Entries that are added at the end and taken from either end: linked arrays, so that growing copies nothing, taken entries free their
/// memory at once, and no array reaches the large object heap.
/// </summary>
internal sealed class EntryBuffer
{
    private const int SegmentSize = 512;
    private const int SmallestSize = 8;

    private Segment? _head;
    private Segment? _tail;
    private Segment? _spare;
    private int _first;
    private int _end;

    public int Count { get; private set; }

    public ref readonly QueueEntry First => ref _head!.Entries[_first];

    public ref readonly QueueEntry Last => ref _tail!.Entries[_end - 1];

    public void AddLast(in QueueEntry entry)
    {
        if (_tail is null || _end == _tail.Entries.Length)
            Grow();
        _tail!.Entries[_end++] = entry;
        Count++;
    }

    public QueueEntry RemoveFirst()
    {
        ref var slot = ref _head!.Entries[_first++];
        var entry = slot;
        slot.Body = null!;
        if (--Count == 0)
        {
            _first = _end = 0;
        }
        else if (_first == _head.Entries.Length)
        {
            var empty = _head;
            _head = empty.Next!;
            _head.Previous = null;
            _first = 0;
            Spare(empty);
        }

        return entry;
    }

    public QueueEntry RemoveLast()
    {
        ref var slot = ref _tail!.Entries[--_end];
        var entry = slot;
        slot.Body = null!;
        if (--Count == 0)
        {
            _first = _end = 0;
        }
        else if (_end == 0)
        {
            var empty = _tail;
            _tail = empty.Previous!;
            _tail.Next = null;
            _end = _tail.Entries.Length;
            Spare(empty);
        }

        return entry;
    }

    /// <summary>Adds the entries from one end on, as many as are wanted, to a list.</summary>
    public void Peek(bool fromEnd, int maximum, List<QueueEntry> into)
    {
        var left = Math.Min(maximum, Count);
        if (fromEnd)
        {
            for (var (segment, at) = (_tail, _end); left > 0; segment = segment!.Previous, at = segment?.Entries.Length ?? 0)
            {
                while (at > 0 && left-- > 0)
                    into.Add(segment!.Entries[--at]);
            }

            return;
        }

        for (var (segment, at) = (_head, _first); left > 0; segment = segment.Next, at = 0)
        {
            while (at < segment!.Entries.Length && left-- > 0)
                into.Add(segment.Entries[at++]);
        }
    }

    public void Clear()
    {
        _head = _tail = _spare = null;
        _first = _end = Count = 0;
    }

    /// <summary>One empty array is kept: a queue whose length oscillates around an array's end makes no garbage.</summary>
    private void Spare(Segment segment)
    {
        segment.Next = segment.Previous = null;
        _spare = segment;
    }

    private void Grow()
    {
        if (_tail is { } only && only == _head && only.Entries.Length < SegmentSize)
        {
            // A small queue has one array, which grows on demand; only full-sized arrays are linked.
            var larger = new Segment(Math.Min(SegmentSize, only.Entries.Length * 2));
            Array.Copy(only.Entries, _first, larger.Entries, 0, Count);
            (_head, _tail, _first, _end) = (larger, larger, 0, Count);
            return;
        }

        var added = _spare ?? new Segment(_tail is null ? SmallestSize : SegmentSize);
        _spare = null;
        added.Previous = _tail;
        if (_tail is { } last)
            last.Next = added;
        else
            _head = added;
        _tail = added;
        _end = 0;
    }

    private sealed class Segment(int size)
    {
        public readonly QueueEntry[] Entries = new QueueEntry[size];
        public Segment? Previous;
        public Segment? Next;
    }
}
