using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Queues;

/// <summary>The changes of one engine step to a durable queue, to be journaled.</summary>
/// <param name="queue">The queue.</param>
/// <param name="changed">The queues that have changed in this step.</param>
internal sealed class QueueLog(QueueState queue, List<QueueState> changed)
{
    private List<KeptItem>? _puts;
    private List<ItemMove>? _moves;
    private List<long>? _removed;
    private IReadOnlyList<long>? _left;
    private bool _isNoted;

    /// <summary>Its numbers have changed.</summary>
    public void Touch()
    {
        if (_isNoted)
            return;
        _isNoted = true;
        changed.Add(queue);
    }

    /// <summary>An item was added to the queue.</summary>
    public void Put(in QueueEntry entry, bool hasReturned)
    {
        Touch();
        (_puts ??= []).Add(
            new KeptItem(entry.Body, entry.Bytes, entry.Sequence, entry.Priority, entry.PutAt, entry.Deliveries, hasReturned));
    }

    /// <summary>A kept item was delivered, returned or delayed.</summary>
    public void Move(in QueueEntry entry, long delayedUntil = 0)
    {
        Touch();
        (_moves ??= []).Add(new ItemMove(entry.Sequence, entry.Deliveries, delayedUntil));
    }

    /// <summary>An item was removed from the queue.</summary>
    public void Remove(in QueueEntry entry)
    {
        Touch();
        (_removed ??= []).Add(entry.Sequence);
    }

    /// <summary>Only these items are left.</summary>
    public void Empty(IReadOnlyList<long> left)
    {
        Touch();
        _left = left;
    }

    /// <summary>Returns and resets the changes of the step; null where the queue was deleted, which a change of its own records.</summary>
    public QueueChanged? Take()
    {
        _isNoted = false;
        var change = queue.IsDropped
            ? null
            : new QueueChanged(queue.Name, queue.Counts)
            {
                Puts = _puts ?? [],
                Moves = _moves ?? [],
                Removed = _removed ?? [],
                Left = _left,
            };
        (_puts, _moves, _removed, _left) = (null, null, null, null);
        return change;
    }
}
