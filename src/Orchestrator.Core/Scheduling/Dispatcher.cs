using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Scheduling;

/// <summary>Which task runs next, and where.</summary>
/// <param name="context">The time and the settings.</param>
/// <param name="pools">The workers and their ready queues.</param>
/// <param name="waiting">The other places where tasks wait.</param>
/// <param name="assign">
/// Gives a task to a worker, urgently or not. A delegate, since an assignment also is a step in the task's life, which scheduling does not
/// know.
/// </param>
internal sealed class Dispatcher(
    TaskEngineContext context, WorkerPools pools, WaitingTasks waiting, Action<TaskRecord, WorkerNode, bool> assign)
{
    private readonly AffinityTable _affinity = new(context.Options.MaxAffinityKeys);
    private readonly WorkerChoice _choice = new(context);

    /// <summary>Affinity keys that are remembered.</summary>
    public int AffinityKeyCount => _affinity.Count;

    /// <summary>When to dispatch again though nothing happens; <see cref="long.MaxValue"/> while no brief task waits.</summary>
    public long DueAt { get; private set; } = long.MaxValue;

    /// <summary>Assigns ready tasks as far as there is room for them.</summary>
    public void DispatchAll()
    {
        DueAt = long.MaxValue;
        foreach (var pool in pools.All)
        {
            if (pool.Workers.Count == 0)
                continue;
            for (var lane = 0; lane < pool.LaneCount; lane++)
            {
                if (pool.Pinned > 0 || pool.HasReady(lane))
                    Dispatch(pool, lane);
            }
        }
    }

    /// <summary>Fills the lanes in the promised order, until on each route the next task finds no place.</summary>
    private void Dispatch(WorkerPool pool, int lane)
    {
        foreach (var route in pool.Routes)
        {
            route.IsBlocked = false;
            route.HeldLanes &= ~(1 << lane);
        }

        while (true)
        {
            if (pool.Pinned > 0)
                DispatchPinned(pool, lane);
            if (pool.NextRoute(lane) is not { } route)
                return;
            var queue = route.Queues[lane];
            var task = queue.First!;
            var bound = task.Policy.AffinityKey.Length > 0 ? _affinity.Find(route, task.Policy.AffinityKey) : null;
            if (bound is not null && !_choice.CanTake(bound, lane, task))
            {
                // Other tasks must not wait for the worker that this one waits for.
                queue.Take();
                waiting.Pin(task, bound, lane);
                continue;
            }

            if ((bound ?? _choice.Choose(pool, route, lane, task)) is not { } worker)
            {
                route.IsBlocked = true;
                if (route.IsHeld(lane))
                    DueAt = context.Now + context.Options.BriefStall.Ticks;
                continue;
            }

            var key = ((FairnessQueue)task.Queue!).Key;
            var isUrgent = route.Keys.Interrupts(key);
            route.Keys.OnTaken(key, context.Now);
            queue.Take();
            AssignIfPermitted(task, queue, worker, isUrgent);
        }
    }

    /// <summary>
    /// Pinned tasks keep their place in the order: those ahead of the first ready task of their worker are dispatched, or all if
    /// it has none.
    /// </summary>
    private void DispatchPinned(WorkerPool pool, int lane)
    {
        for (var i = 0; i < pool.Workers.Count; i++)
        {
            var worker = pool.Workers[i];
            if (worker.Pinned[lane] is not { Count: > 0 })
                continue;
            var limit = pool.FirstFor(worker, lane) ?? new RankedTask(long.MaxValue, long.MaxValue, null!);
            while (worker.Pinned[lane] is { Count: > 0 } pinned
                && pinned.Min.CompareTo(limit) < 0
                && _choice.CanTake(worker, lane, pinned.Min.Task))
            {
                var task = pinned.Min.Task;
                waiting.Unpin(task);
                AssignIfPermitted(task, pools.QueueOf(task), worker);
            }
        }
    }

    private void AssignIfPermitted(TaskRecord task, ReadyQueue queue, WorkerNode worker, bool isUrgent = false)
    {
        if (!waiting.TryTakePermits(task, queue))
            return;
        if (task.Policy.AffinityKey.Length > 0)
            _affinity.Bind(WorkerPools.RouteOf(task.Handler)!, task.Policy.AffinityKey, worker);
        assign(task, worker, isUrgent);
    }
}
