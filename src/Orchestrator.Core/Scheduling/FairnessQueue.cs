using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Scheduling;

/// <summary>
/// The queued tasks of one fairness key within one priority, in the order of acceptance. Newly accepted tasks are appended to a list; the
/// few that return (retries, returned attempts, tasks released by a dependency) wait in a small heap beside it, so that they regain their
/// place without a search.
/// </summary>
internal sealed class FairnessQueue(PriorityLevel level, string key) : TaskQueue
{
    private readonly PriorityQueue<TaskRecord, long> _returned = new();
    private TaskRecord? _head;
    private TaskRecord? _tail;
    private int _returnedAlive;

    public PriorityLevel Level => level;

    public string Key => key;

    public double Weight { get; set; } = 1;

    /// <summary>Virtual time (stride scheduling, Waldspurger 1995): grows by 1/weight with each task taken.</summary>
    public double VirtualTime { get; set; }

    public int Count { get; private set; }

    public TaskRecord? First
    {
        get
        {
            var returned = FirstReturned();
            if (returned is null || (_head is not null && _head.Id < returned.Id))
                return _head;
            return returned;
        }
    }

    public void Add(TaskRecord task)
    {
        task.Queue = this;
        Count++;
        if (_tail is null || _tail.Id < task.Id)
        {
            task.Previous = _tail;
            task.Next = null;
            if (_tail is null)
                _head = task;
            else
                _tail.Next = task;
            _tail = task;
        }
        else
        {
            // Marked by pointing at itself: a list member never does.
            task.Next = task;
            _returned.Enqueue(task, task.Id);
            _returnedAlive++;
        }
    }

    public void Remove(TaskRecord task)
    {
        task.Queue = null;
        Count--;
        if (task.Next == task)
        {
            task.Next = null;
            _returnedAlive--;
            if (_returned.TryPeek(out var first, out _) && first == task)
                _returned.Dequeue();
            else if (_returned.Count > 64 && _returned.Count > _returnedAlive * 2)
                Compact();
            return;
        }

        if (task.Previous is null)
            _head = task.Next;
        else
            task.Previous.Next = task.Next;
        if (task.Next is null)
            _tail = task.Previous;
        else
            task.Next.Previous = task.Previous;
        task.Previous = task.Next = null;
    }

    private TaskRecord? FirstReturned()
    {
        // A task that was removed from the middle of the heap is recognized when it reaches the top.
        while (_returned.TryPeek(out var task, out _))
        {
            if (task.Queue == this && task.Next == task)
                return task;
            _returned.Dequeue();
        }

        return null;
    }

    private void Compact()
    {
        var alive = _returned.UnorderedItems.Where(item => item.Element.Queue == this && item.Element.Next == item.Element).ToArray();
        _returned.Clear();
        _returned.EnqueueRange(alive);
    }
}
