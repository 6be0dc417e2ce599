using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Scheduling;

/// <summary>
/// Tasks that wait for a permit of a rate limiter. Permits come from outside, one at a time: the next is requested once the last has led to
/// a start, so that a busy worker accumulates none. A queue exists only while tasks wait, or a permit is requested or unused.
/// </summary>
internal sealed class StartRateLimiter
{
    private readonly Dictionary<(string, ReadyQueue), StartRateQueue> _queues = [];

    public static bool Concerns(TaskRecord task) => task.Policy.RateLimiter.Length > 0;

    /// <summary>Enqueues a task for a permit.</summary>
    public void Enqueue(TaskRecord task, ReadyQueue ready, TaskEffects effects)
    {
        // Each ready queue has its own queue here: no task waits for a permit that lies unused because another queue has no free worker.
        var key = (task.Policy.RateLimiter, ready);
        if (!_queues.TryGetValue(key, out var queue))
            _queues.Add(key, queue = new StartRateQueue(task.Policy.RateLimiter, ready));
        task.GetSideData().PermitQueue = queue;
        queue.Waiters.Add(new RankedTask(ready.RankOf(task), task.Id, task));
        Ask(queue, effects);
    }

    /// <summary>Removes a waiting task.</summary>
    public void Remove(TaskRecord task)
    {
        var queue = (StartRateQueue)task.SideData!.PermitQueue!;
        queue.Waiters.Remove(new RankedTask(queue.Ready.RankOf(task), task.Id, task));
        Forget(queue);
    }

    /// <summary>
    /// The requested permit was granted. Returns the task that gets it; null if none waits any more, and the permit is returned.
    /// </summary>
    public TaskRecord? Grant(PermitQueue permits, TaskEffects effects)
    {
        var queue = (StartRateQueue)permits;
        queue.Asked = false;
        return HandOver(queue, effects);
    }

    /// <summary>The task's permit has led to a start.</summary>
    public void Use(TaskRecord task, TaskEffects effects)
    {
        var queue = Release(task);
        Ask(queue, effects);
        Forget(queue);
    }

    /// <summary>
    /// The task does not start now. Returns the task that gets its permit; null if none waits, and the permit is returned.
    /// </summary>
    public TaskRecord? PassOn(TaskRecord task, TaskEffects effects) => HandOver(Release(task), effects);

    /// <summary>No permit will be granted. Returns the waiting tasks.</summary>
    public IReadOnlyList<TaskRecord> Close(PermitQueue permits)
    {
        var queue = (StartRateQueue)permits;
        queue.Asked = false;
        TaskRecord[] waiting = [.. queue.Waiters.Select(item => item.Task)];
        queue.Waiters.Clear();
        Forget(queue);
        return waiting;
    }

    private static StartRateQueue Release(TaskRecord task)
    {
        task.Clear(TaskFlags.HoldsRatePermit);
        // The queue in which it waited: its handler may use another queue by now.
        var queue = (StartRateQueue)task.SideData!.PermitQueue!;
        queue.HasUnused = false;
        return queue;
    }

    private TaskRecord? HandOver(StartRateQueue queue, TaskEffects effects)
    {
        if (queue.Waiters.Count == 0)
        {
            effects.Permits.Add(new PermitOrder(queue, PermitOrderKind.GiveBack));
            Forget(queue);
            return null;
        }

        var first = queue.Waiters.Min;
        queue.Waiters.Remove(first);
        queue.HasUnused = true;
        first.Task.Set(TaskFlags.HoldsRatePermit);
        return first.Task;
    }

    private static void Ask(StartRateQueue queue, TaskEffects effects)
    {
        if (queue.Asked || queue.HasUnused || queue.Waiters.Count == 0)
            return;
        queue.Asked = true;
        effects.Permits.Add(new PermitOrder(queue, PermitOrderKind.Ask));
    }

    private void Forget(StartRateQueue queue)
    {
        // A queue with a pending request stays, so that there are never two pending requests for one key.
        if (queue is { Asked: false, HasUnused: false, Waiters.Count: 0 })
            _queues.Remove((queue.RateLimiter, queue.Ready));
    }
}

/// <summary>The tasks of one rate limiter and one ready queue that wait for permits.</summary>
internal sealed class StartRateQueue(string rateLimiter, ReadyQueue ready) : PermitQueue(rateLimiter)
{
    public readonly SortedSet<RankedTask> Waiters = [];
    public bool Asked;
    public bool HasUnused;

    public ReadyQueue Ready => ready;
}
