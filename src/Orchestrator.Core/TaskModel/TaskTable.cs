namespace Orchestrator.Core.TaskModel;

/// <summary>
/// Tasks by id. Ids are dense and grow, so a page of references beats a hash table: 8 bytes a task, no rehash pauses, and a page is freed
/// with its last task.
/// </summary>
internal sealed class TaskTable(long lastId)
{
    private const int PageBits = 10;
    private const int PageSize = 1 << PageBits;

    private readonly Dictionary<long, Page> _pages = [];
    // The numbers of the pages, ascending, so that a list of tasks begins without sorting them.
    private readonly List<long> _numbers = [];
    private Page? _lastPage;
    private long _lastPageNumber = -1;

    public int Count { get; private set; }

    /// <summary>The id that the next task will get.</summary>
    public long NextId { get; private set; } = lastId + 1;

    public long TakeId() => NextId++;

    public void Add(TaskRecord task)
    {
        var page = PageOf(task.Id) ?? AddPage(task.Id);
        page.Tasks[task.Id & (PageSize - 1)] = task;
        page.Count++;
        Count++;
    }

    public TaskRecord? Find(long id) => PageOf(id)?.Tasks[id & (PageSize - 1)];

    /// <summary>Why there is no task with this id.</summary>
    public string WhyMissing(long taskId) => taskId > 0 && taskId < NextId
        ? $"task {taskId} is no longer known: it has ended, and its result is no longer kept"
        // Ids are unsigned on the wire.
        : $"task {(ulong)taskId} is unknown: no task has had this id";

    public void Remove(TaskRecord task)
    {
        if (PageOf(task.Id) is not { } page || page.Tasks[task.Id & (PageSize - 1)] != task)
            return;
        page.Tasks[task.Id & (PageSize - 1)] = null;
        Count--;
        if (--page.Count == 0)
        {
            _pages.Remove(task.Id >> PageBits);
            _numbers.RemoveAt(_numbers.BinarySearch(task.Id >> PageBits));
            if (_lastPage == page)
                (_lastPage, _lastPageNumber) = (null, -1);
        }
    }

    /// <summary>Tasks with ids below <paramref name="before"/>, newest first.</summary>
    public IEnumerable<TaskRecord> NewestBefore(long before)
    {
        // The caller may end tasks while it enumerates, and the task that this drops may have been the last of a page: so the next page is
        // looked for by its number.
        for (var at = before <= 0 ? -1 : IndexBefore(((before - 1) >> PageBits) + 1); at >= 0;)
        {
            var number = _numbers[at];
            var page = _pages[number];
            for (var i = PageSize - 1; i >= 0; i--)
            {
                if (page.Tasks[i] is { } task && task.Id < before)
                    yield return task;
            }

            at = IndexBefore(number);
        }
    }

    /// <summary>The index of the last page with a smaller number; -1 if there is none.</summary>
    private int IndexBefore(long number)
    {
        var found = _numbers.BinarySearch(number);
        return (found >= 0 ? found : ~found) - 1;
    }

    private Page? PageOf(long id)
    {
        var number = id >> PageBits;
        if (number == _lastPageNumber)
            return _lastPage;
        if (!_pages.TryGetValue(number, out var page))
            return null;
        (_lastPage, _lastPageNumber) = (page, number);
        return page;
    }

    private Page AddPage(long id)
    {
        var page = new Page();
        var number = id >> PageBits;
        _pages.Add(number, page);
        _numbers.Insert(~_numbers.BinarySearch(number), number);
        (_lastPage, _lastPageNumber) = (page, number);
        return page;
    }

    private sealed class Page
    {
        public readonly TaskRecord?[] Tasks = new TaskRecord?[PageSize];
        public int Count;
    }
}
