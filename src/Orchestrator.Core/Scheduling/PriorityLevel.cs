using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Scheduling;

/// <summary>The queued tasks of one priority: one queue per fairness key, taken in turn by weight.</summary>
internal sealed class PriorityLevel(int priority)
{
    // Empty queues keep their virtual time until the others have caught up, otherwise a key that submits one task at a time would never pay
    // for its turns. Beyond this many they are dropped: fairness among that many idle keys is not worth the memory.
    private const int MaxIdleQueues = 1_024;

    private readonly Dictionary<string, FairnessQueue> _queues = [];
    private readonly SortedSet<FairnessQueue> _active = new(VirtualTimeOrder.Instance);
    private double _virtualTime;

    public int Priority => priority;

    /// <summary>The place in the heap of levels; -1 outside.</summary>
    public int HeapIndex { get; set; } = -1;

    /// <summary>Smaller goes first; see <see cref="ReadyQueue"/>.</summary>
    public long Rank { get; set; }

    public int Count { get; private set; }

    public TaskRecord? First => _single is not null ? _single.First : _active.Min?.First;

    /// <summary>When the task was accepted that was accepted first; there must be one.</summary>
    public long OldestAcceptedAt => _single?.First!.AcceptedAt ?? _active.Min(queue => queue.First!.AcceptedAt);

    // With one active queue, by far the most common case, the sorted set is not used.
    private FairnessQueue? _single;

    public void Add(TaskRecord task)
    {
        var key = task.Policy.FairnessKey is { Length: > 0 } own ? own : task.Client?.FairnessKey ?? "";
        if (!_queues.TryGetValue(key, out var queue))
        {
            queue = new FairnessQueue(this, key) { VirtualTime = _virtualTime };
            _queues.Add(key, queue);
        }

        queue.Weight = task.Policy.FairnessWeight;
        if (queue.Count == 0)
        {
            queue.VirtualTime = Math.Max(queue.VirtualTime, _virtualTime);
            queue.Add(task);
            Activate(queue);
        }
        else
        {
            queue.Add(task);
        }

        Count++;
    }

    /// <summary>Removes a task from its queue; <paramref name="charge"/> if it is taken to run, as opposed to cancelled.</summary>
    public void Remove(FairnessQueue queue, TaskRecord task, bool charge)
    {
        var single = _single == queue;
        if (!single)
            _active.Remove(queue);
        queue.Remove(task);
        Count--;
        if (charge && !task.Has(TaskFlags.Charged))
        {
            task.Set(TaskFlags.Charged);
            _virtualTime = Math.Max(_virtualTime, queue.VirtualTime);
            queue.VirtualTime += 1 / queue.Weight;
        }

        if (queue.Count > 0)
        {
            if (!single)
                _active.Add(queue);
            return;
        }

        if (single)
            _single = null;
        if (queue.VirtualTime <= _virtualTime || _queues.Count > _active.Count + MaxIdleQueues)
            Forget(queue);
    }

    private void Activate(FairnessQueue queue)
    {
        if (_single is null && _active.Count == 0)
        {
            _single = queue;
            return;
        }

        if (_single is { } other)
        {
            _active.Add(other);
            _single = null;
        }

        _active.Add(queue);
    }

    private void Forget(FairnessQueue queue)
    {
        _queues.Remove(queue.Key);
        if (_queues.Count <= _active.Count + MaxIdleQueues)
            return;
        foreach (var idle in _queues.Values.Where(idle => idle.Count == 0).ToArray())
            _queues.Remove(idle.Key);
    }

    private sealed class VirtualTimeOrder : IComparer<FairnessQueue>
    {
        public static readonly VirtualTimeOrder Instance = new();

        public int Compare(FairnessQueue? x, FairnessQueue? y)
        {
            var byTime = x!.VirtualTime.CompareTo(y!.VirtualTime);
            return byTime != 0 ? byTime : string.CompareOrdinal(x.Key, y.Key);
        }
    }
}
