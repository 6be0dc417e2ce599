using Orchestrator.Coordinator.Journal.Wire;

namespace Orchestrator.Coordinator.Journal;

/// <summary>The state of one queue after the records so far.</summary>
internal sealed class JournaledQueue(V1.QueueSpec spec)
{
    // The number of items per snapshot record.
    private const int ItemsPerRecord = 512;

    private readonly Dictionary<ulong, KeptItem> _items = [];

    public V1.QueueSpec Spec => spec;

    /// <summary>The credential that created the queue; empty for the coordinator's owner.</summary>
    public string Owner { get; set; } = "";

    public QueueCounts Counts { get; private set; } = new();

    /// <summary>In the order of their sequences.</summary>
    public IEnumerable<KeptItem> Items => _items.Values.OrderBy(item => item.Sequence);

    public int Count => _items.Count;

    public void Apply(QueueChanged changed)
    {
        Counts = changed.Counts;
        foreach (var item in changed.Puts)
            _items.Add(item.Sequence, item);
        foreach (var move in changed.Moves)
        {
            var item = _items[move.Sequence];
            item.Deliveries = move.Deliveries;
            item.DelayedUntil = move.DelayedUntil;
            item.HasReturned = true;
        }

        foreach (var sequence in changed.Removed)
        {
            if (!_items.Remove(sequence))
                throw new JournalException($"queue {spec.Name} has no item {sequence}");
        }

        if (changed.Left is not { } left)
            return;
        var kept = left.Sequences.ToHashSet();
        foreach (var sequence in _items.Keys.Where(known => !kept.Contains(known)).ToArray())
            _items.Remove(sequence);
    }

    public IEnumerable<Change> ToChanges()
    {
        yield return new Change { QueueCreated = spec };
        if (Owner.Length > 0)
            yield return new Change { QueueOwned = new QueueOwned { Queue = spec.Name, Owner = Owner } };
        foreach (var items in Items.Chunk(ItemsPerRecord))
        {
            var changed = new QueueChanged { Queue = spec.Name, Counts = Counts };
            changed.Puts.AddRange(items);
            yield return new Change { QueueChanged = changed };
        }

        if (_items.Count == 0)
            yield return new Change { QueueChanged = new QueueChanged { Queue = spec.Name, Counts = Counts } };
    }
}
