namespace Orchestrator.Core.TaskModel;

/// <summary>
/// One lane of one worker: the attempts assigned to it, in the order in which it starts them. A lane is first in, first out, so the engine
/// knows without any message which attempts run (the first <see cref="Slots"/>) and which still wait in the prefetched window.
/// </summary>
/// <param name="slots">How many attempts it runs at once.</param>
/// <param name="briefTicks">An attempt that is expected to run longer than this, in ticks of 100 ns, counts as long.</param>
internal sealed class Lane(int slots, long briefTicks)
{
    private TaskRecord? _head;
    private TaskRecord? _tail;
    private TaskRecord? _firstWaiting;

    /// <summary>How many attempts the lane runs at once.</summary>
    public int Slots => slots;

    /// <summary>Attempts assigned and not ended.</summary>
    public int Outstanding { get; private set; }

    public int Running { get; private set; }

    public int Waiting => Outstanding - Running;

    /// <summary>The expected run time of all outstanding attempts, in ticks of 100 ns.</summary>
    public long BacklogTicks { get; private set; }

    /// <summary>Outstanding attempts that are expected to run long.</summary>
    public int Long { get; private set; }

    /// <summary>The part of <see cref="BacklogTicks"/> that is not of long attempts.</summary>
    public long BriefBacklogTicks { get; private set; }

    /// <summary>When an attempt on the lane last ended, or the first of the present ones was added.</summary>
    public long ProgressAt { get; private set; }

    public TaskRecord? First => _head;

    public TaskRecord? Last => _tail;

    public TaskRecord? FirstWaiting => _firstWaiting;

    /// <summary>The running attempts, longest first.</summary>
    public IEnumerable<TaskRecord> Started
    {
        get
        {
            for (var task = _head; task is not null && task != _firstWaiting; task = task.Next)
                yield return task;
        }
    }

    /// <summary>Appends an attempt; true if it starts at once.</summary>
    public bool Add(TaskRecord task, long expectedTicks, long now)
    {
        if (Outstanding == Long)
            ProgressAt = now;
        task.Previous = _tail;
        task.Next = null;
        if (_tail is null)
            _head = task;
        else
            _tail.Next = task;
        _tail = task;
        Outstanding++;
        BacklogTicks += expectedTicks;
        CountKind(expectedTicks, 1);
        if (Running < slots)
        {
            Running++;
            task.Set(TaskFlags.Running);
            return true;
        }

        _firstWaiting ??= task;
        return false;
    }

    /// <summary>Replaces the expected run time of an attempt on the lane.</summary>
    public void Reestimate(long expectedTicks, long ticks)
    {
        BacklogTicks += ticks - expectedTicks;
        CountKind(expectedTicks, -1);
        CountKind(ticks, 1);
    }

    /// <summary>Removes an attempt and returns the one that starts in its place, if any.</summary>
    public TaskRecord? Remove(TaskRecord task, long expectedTicks, long now)
    {
        if (_firstWaiting == task)
            _firstWaiting = task.Next;
        if (task.Previous is null)
            _head = task.Next;
        else
            task.Previous.Next = task.Next;
        if (task.Next is null)
            _tail = task.Previous;
        else
            task.Next.Previous = task.Previous;
        task.Previous = task.Next = null;
        Outstanding--;
        BacklogTicks = Outstanding == 0 ? 0 : Math.Max(0, BacklogTicks - expectedTicks);
        CountKind(expectedTicks, -1);
        // One that is taken back before its start is no sign that the worker gets on.
        if (!task.Has(TaskFlags.Running))
            return null;
        ProgressAt = now;
        task.Clear(TaskFlags.Running);
        Running--;
        if (_firstWaiting is not { } next)
            return null;
        _firstWaiting = next.Next;
        Running++;
        next.Set(TaskFlags.Running);
        return next;
    }

    private void CountKind(long expectedTicks, int by)
    {
        if (expectedTicks > briefTicks)
            Long += by;
        else
            BriefBacklogTicks += by * expectedTicks;
    }
}
