using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Scheduling;

/// <summary>Which task runs next, and where.</summary>
/// <param name="context">The time and the settings.</param>
/// <param name="pools">The workers and their ready queues.</param>
/// <param name="waiting">The other places where tasks wait.</param>
/// <param name="assign">
/// Gives a task to a worker. A delegate, since an assignment also is a step in the task's life, which scheduling does not know.
/// </param>
internal sealed class Dispatcher(TaskEngineContext context, WorkerPools pools, WaitingTasks waiting, Action<TaskRecord, WorkerNode> assign)
{
    private readonly AffinityTable _affinity = new(context.Options.MaxAffinityKeys);

    /// <summary>Affinity keys that are remembered.</summary>
    public int AffinityKeyCount => _affinity.Count;

    /// <summary>Assigns ready tasks as far as there is room for them.</summary>
    public void DispatchAll()
    {
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

    /// <summary>
    /// A free slot beats a place in a window; then fewer attempts, or the shorter window. Ties go to the first: a warm worker
    /// stays warm.
    /// </summary>
    /// <param name="left">The lane that may be better.</param>
    /// <param name="right">The lane to beat.</param>
    /// <param name="neighbours">Attempts that count as one.</param>
    private static bool IsBetter(Lane left, Lane right, int neighbours)
    {
        var leftFree = left.Outstanding < left.Slots;
        var rightFree = right.Outstanding < right.Slots;
        if (leftFree != rightFree)
            return leftFree;
        return leftFree ? left.Outstanding / neighbours < right.Outstanding / neighbours : left.BacklogTicks < right.BacklogTicks;
    }

    /// <summary>Fills the lanes in the promised order, until on each route the next task finds no place.</summary>
    private void Dispatch(WorkerPool pool, int lane)
    {
        foreach (var route in pool.Routes)
            route.IsBlocked = false;
        while (true)
        {
            if (pool.Pinned > 0)
                DispatchPinned(pool, lane);
            if (pool.NextRoute(lane) is not { } route)
                return;
            var queue = route.Queues[lane];
            var task = queue.First!;
            var bound = task.Policy.AffinityKey.Length > 0 ? _affinity.Find(route, task.Policy.AffinityKey) : null;
            if (bound is not null && !CanTake(bound, lane, task))
            {
                // Other tasks must not wait for the worker that this one waits for.
                queue.Take();
                waiting.Pin(task, bound, lane);
                continue;
            }

            if ((bound ?? Choose(pool, route, lane, task)) is not { } worker)
            {
                route.IsBlocked = true;
                continue;
            }

            queue.Take();
            AssignIfPermitted(task, queue, worker);
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
                && CanTake(worker, lane, pinned.Min.Task))
            {
                var task = pinned.Min.Task;
                waiting.Unpin(task);
                AssignIfPermitted(task, pools.QueueOf(task), worker);
            }
        }
    }

    private void AssignIfPermitted(TaskRecord task, ReadyQueue queue, WorkerNode worker)
    {
        if (!waiting.TryTakePermits(task, queue))
            return;
        if (task.Policy.AffinityKey.Length > 0)
            _affinity.Bind(WorkerPools.RouteOf(task.Handler)!, task.Policy.AffinityKey, worker);
        assign(task, worker);
    }

    private WorkerNode? Choose(WorkerPool pool, HandlerRoute route, int lane, TaskRecord task)
    {
        WorkerNode? best = null;
        var isShort = pool.LaneCount > 1 && lane == (int)WorkKind.Io && Expected(task) < context.Options.IoNeighboursBelow.Ticks;
        var neighbours = isShort ? context.Options.IoNeighbours : 1;
        foreach (var worker in pool.Workers)
        {
            if (route.Includes(worker)
                && CanTake(worker, lane, task)
                && (best is null || IsBetter(worker.Lanes[lane], best.Lanes[lane], neighbours)))
            {
                best = worker;
            }
        }

        return best;
    }

    private bool CanTake(WorkerNode worker, int lane, TaskRecord task)
    {
        if (worker.IsClosed || !worker.HasFreeSlot)
            return false;
        var target = worker.Lanes[lane];
        if (target.Outstanding < target.Slots)
            return true;
        // Only the CPU lane has a window: in the others, prefetched tasks would only wait in another place. A task that needs a permit must
        // not take one before it can run.
        if (lane != 0 || !worker.Description.RecordsFlight || ConcurrencyLimiter.Concerns(task) || StartRateLimiter.Concerns(task))
            return false;
        if (target.Waiting == 0)
            return target.BacklogTicks <= context.Options.PrefetchOneBelow.Ticks;
        return target.Waiting < context.Options.MaxCredits && target.BacklogTicks + Expected(task) <= context.Options.PrefetchTarget.Ticks;
    }

    // A handler that has never run counts as a full window.
    private long Expected(TaskRecord task) => task.Handler.ExpectedTicksOr(context.Options.PrefetchTarget);
}
