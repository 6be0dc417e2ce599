namespace Orchestrator.Core.Tasks;

/// <summary>
/// Tasks by their next deadline: a binary heap that knows each task's place, so that a task which ends takes its deadline with it.
/// (Lazy deletion would keep tens of millions of dead entries at full speed.)
/// </summary>
internal sealed class DeadlineHeap
{
    private TaskRecord[] _items = new TaskRecord[64];
    private int _count;

    public int Count => _count;

    public TaskRecord? First => _count == 0 ? null : _items[0];

    /// <summary>Sets the deadline of a task, whether it has one or not.</summary>
    public void Set(TaskRecord task, long deadline)
    {
        if (deadline == long.MaxValue)
        {
            Remove(task);
            return;
        }

        task.Deadline = deadline;
        if (task.HeapIndex < 0)
        {
            if (_count == _items.Length)
                Array.Resize(ref _items, _count * 2);
            task.HeapIndex = _count;
            _items[_count++] = task;
        }

        Up(task.HeapIndex);
        Down(task.HeapIndex);
    }

    public void Remove(TaskRecord task)
    {
        var index = task.HeapIndex;
        if (index < 0)
            return;
        task.HeapIndex = -1;
        var last = _items[--_count];
        _items[_count] = null!;
        if (last == task)
            return;
        _items[index] = last;
        last.HeapIndex = index;
        Up(index);
        Down(last.HeapIndex);
    }

    private static bool Before(TaskRecord left, TaskRecord right) =>
        left.Deadline < right.Deadline || (left.Deadline == right.Deadline && left.Id < right.Id);

    private void Up(int index)
    {
        var item = _items[index];
        while (index > 0)
        {
            var parent = (index - 1) / 2;
            if (!Before(item, _items[parent]))
                break;
            _items[index] = _items[parent];
            _items[index].HeapIndex = index;
            index = parent;
        }

        _items[index] = item;
        item.HeapIndex = index;
    }

    private void Down(int index)
    {
        var item = _items[index];
        while (true)
        {
            var child = (2 * index) + 1;
            if (child >= _count)
                break;
            if (child + 1 < _count && Before(_items[child + 1], _items[child]))
                child++;
            if (!Before(_items[child], item))
                break;
            _items[index] = _items[child];
            _items[index].HeapIndex = index;
            index = child;
        }

        _items[index] = item;
        item.HeapIndex = index;
    }
}
