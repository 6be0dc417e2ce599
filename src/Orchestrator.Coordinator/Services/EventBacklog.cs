using Orchestrator.Core.Common;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Coordinator.Services;

/// <summary>
/// Task events in transit to one reader. If the reader falls behind, only the newest are kept, and the loss is known: each event carries a
/// running count of its kind, so a gap shows wherever an event was dropped. Ends are never dropped. Not thread-safe.
/// </summary>
internal sealed class EventBacklog(MemoryBudget memory)
{
    /// <summary>The maximum number of kept events, besides ends.</summary>
    public const int MaxEvents = 1_000;

    private const long MaxBytes = 16L << 20;

    private readonly Queue<(long Arrival, TaskEventRecord Item)> _events = new();
    private readonly Queue<(long Arrival, TaskEventRecord Item)> _ends = new();
    private readonly Dictionary<long, EventCounts> _had = [];
    private readonly Dictionary<long, int> _waiting = [];
    private long _arrivals;
    private long _bytes;
    private bool _isClosed;

    /// <summary>The number of waiting events.</summary>
    public int Count => _events.Count + _ends.Count;

    /// <summary>Sets how much of a task the reader already has.</summary>
    public void Begin(long taskId, EventCounts had) => _had[taskId] = had;

    /// <summary>Adds an event; drops the oldest ones beyond the maximum.</summary>
    public void Add(in TaskEventRecord item)
    {
        if (_isClosed)
            return;
        if (item.Kind == TaskEventKind.Ended)
        {
            _ends.Enqueue((_arrivals++, item));
            return;
        }

        _events.Enqueue((_arrivals++, item));
        _waiting[item.Task.Id] = _waiting.GetValueOrDefault(item.Task.Id) + 1;
        Keep(item.ContentBytes);
        while (_events.Count > MaxEvents || (_bytes > MaxBytes && _events.Count > 1))
            Dequeue();
    }

    /// <summary>The size of the oldest event before the end, in bytes; 0 without one.</summary>
    public int NextBytes => _events.TryPeek(out var next) ? next.Item.ContentBytes : 0;

    /// <summary>Takes the oldest event.</summary>
    /// <param name="item">The event.</param>
    /// <param name="missing">What the reader has missed of this task since its last event.</param>
    public bool TryTake(out TaskEventRecord item, out EventCounts missing)
    {
        var isEnd = _ends.Count > 0 && (_events.Count == 0 || _ends.Peek().Arrival < _events.Peek().Arrival);
        if (!isEnd && _events.Count == 0)
        {
            (item, missing) = (default, default);
            return false;
        }

        item = isEnd ? _ends.Dequeue().Item : Dequeue();
        var without = item.Kind switch
        {
            TaskEventKind.PartialOutput => item.Counts with { Partials = item.Counts.Partials - 1 },
            TaskEventKind.Log => item.Counts with { LogLines = item.Counts.LogLines - 1 },
            _ => item.Counts,
        };
        missing = MissingUpTo(item.Task, without);
        if (isEnd)
            _had.Remove(item.Task.Id);
        else
            Had(item.Task, item.Counts);
        return true;
    }

    /// <summary>Whether events of a task wait, so that its result must wait too.</summary>
    public bool Holds(TaskRecord task) => _waiting.ContainsKey(task.Id);

    /// <summary>What the reader has missed of an ended task without waiting events. No event of this task may follow.</summary>
    public EventCounts End(TaskRecord task)
    {
        var missing = MissingUpTo(task, task.EventCounts);
        _had.Remove(task.Id);
        return missing;
    }

    /// <summary>Drops all events and accepts no more.</summary>
    public void Close()
    {
        _isClosed = true;
        Keep(-_bytes);
        _events.Clear();
        _ends.Clear();
        _waiting.Clear();
    }

    private EventCounts MissingUpTo(TaskRecord task, EventCounts counts)
    {
        var had = _had.GetValueOrDefault(task.Id);
        return new EventCounts(Math.Max(0, counts.Partials - had.Partials), Math.Max(0, counts.LogLines - had.LogLines));
    }

    private void Had(TaskRecord task, EventCounts counts)
    {
        if (counts == default)
            return;
        var had = _had.GetValueOrDefault(task.Id);
        _had[task.Id] = new EventCounts(Math.Max(had.Partials, counts.Partials), Math.Max(had.LogLines, counts.LogLines));
    }

    private TaskEventRecord Dequeue()
    {
        var item = _events.Dequeue().Item;
        Keep(-item.ContentBytes);
        if (--_waiting[item.Task.Id] == 0)
            _waiting.Remove(item.Task.Id);
        return item;
    }

    private void Keep(long bytes)
    {
        _bytes += bytes;
        memory.Add(bytes);
    }
}
