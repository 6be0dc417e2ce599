using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Scheduling;

/// <summary>
/// The tasks that are ready to run on one lane of one route, in the promised order: larger priority first; within it fair over keys, then
/// first come, first served. With aging a task gains one priority per <c>aging</c> of waiting, without any re-sorting: the task with the
/// largest <c>priority + (now − accepted) / aging</c> has the smallest <c>accepted − priority × aging</c>, which does not change with time.
/// </summary>
internal sealed class ReadyQueue(long agingTicks)
{
    private readonly Dictionary<int, PriorityLevel> _levels = [];
    private PriorityLevel[] _heap = new PriorityLevel[4];
    private int _heapCount;

    public int Count { get; private set; }

    /// <summary>The next task to run, or null.</summary>
    public TaskRecord? First => _heapCount == 0 ? null : _heap[0].First;

    /// <summary>The first task with its rank; there must be one.</summary>
    public RankedTask FirstRanked => new(RankOf(First!), First!.Id, First);

    /// <summary>When the task was accepted that was accepted first; null if there is none.</summary>
    public long? OldestAcceptedAt
    {
        get
        {
            long? oldest = null;
            for (var i = 0; i < _heapCount; i++)
                oldest = Math.Min(oldest ?? long.MaxValue, _heap[i].OldestAcceptedAt);
            return oldest;
        }
    }

    public void Add(TaskRecord task)
    {
        if (!_levels.TryGetValue(task.Policy.Priority, out var level))
        {
            level = new PriorityLevel(task.Policy.Priority);
            _levels.Add(level.Priority, level);
        }

        level.Add(task);
        Count++;
        if (level.HeapIndex < 0)
        {
            if (_heapCount == _heap.Length)
                Array.Resize(ref _heap, _heapCount * 2);
            level.HeapIndex = _heapCount;
            _heap[_heapCount++] = level;
        }

        Reorder(level);
    }

    /// <summary>Takes the first task to run it.</summary>
    public TaskRecord? Take()
    {
        if (First is not { } task)
            return null;
        Remove(task, charge: true);
        return task;
    }

    /// <summary>Removes a task that will not run now: it was cancelled or timed out.</summary>
    public void Remove(TaskRecord task, bool charge = false)
    {
        var queue = (FairnessQueue)task.Queue!;
        var level = queue.Level;
        level.Remove(queue, task, charge);
        Count--;
        if (level.Count > 0)
        {
            Reorder(level);
            return;
        }

        // An empty level with the common priority 0 is kept: it is needed again at once.
        var index = level.HeapIndex;
        level.HeapIndex = -1;
        if (level.Priority != 0)
            _levels.Remove(level.Priority);
        var last = _heap[--_heapCount];
        _heap[_heapCount] = null!;
        if (last == level)
            return;
        _heap[index] = last;
        last.HeapIndex = index;
        Up(index);
        Down(last.HeapIndex);
    }

    /// <summary>The rank of a task among all, smaller first.</summary>
    public long RankOf(TaskRecord task) =>
        agingTicks > 0 ? task.AcceptedAt - (task.Policy.Priority * agingTicks) : -(long)task.Policy.Priority;

    private void Reorder(PriorityLevel level)
    {
        var rank = RankOf(level.First!);
        if (rank == level.Rank && _heapCount == 1)
            return;
        level.Rank = rank;
        Up(level.HeapIndex);
        Down(level.HeapIndex);
    }

    private static bool Before(PriorityLevel left, PriorityLevel right) =>
        left.Rank < right.Rank || (left.Rank == right.Rank && left.Priority > right.Priority);

    private void Up(int index)
    {
        var item = _heap[index];
        while (index > 0)
        {
            var parent = (index - 1) / 2;
            if (!Before(item, _heap[parent]))
                break;
            _heap[index] = _heap[parent];
            _heap[index].HeapIndex = index;
            index = parent;
        }

        _heap[index] = item;
        item.HeapIndex = index;
    }

    private void Down(int index)
    {
        var item = _heap[index];
        while (true)
        {
            var child = (2 * index) + 1;
            if (child >= _heapCount)
                break;
            if (child + 1 < _heapCount && Before(_heap[child + 1], _heap[child]))
                child++;
            if (!Before(_heap[child], item))
                break;
            _heap[index] = _heap[child];
            _heap[index].HeapIndex = index;
            index = child;
        }

        _heap[index] = item;
        item.HeapIndex = index;
    }
}
