using Orchestrator.Core.Scheduling;

namespace Orchestrator.Core.Tasks;

// Which task runs next, and where.
public sealed partial class TaskEngine
{
    private void DispatchAll()
    {
        foreach (var pool in _pools)
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
                Pin(task, bound, lane);
                continue;
            }

            if ((bound ?? Choose(pool, route, lane, task)) is not { } worker)
            {
                route.IsBlocked = true;
                continue;
            }

            queue.Take();
            if (PassesGates(task, queue))
                Assign(task, worker);
        }
    }

    /// <summary>Takes the permits that a task needs to start; a task that has to wait for one waits outside its queue.</summary>
    private bool PassesGates(TaskRecord task, ReadyQueue queue)
    {
        if (ConcurrencyLimiter.Concerns(task) && !task.Has(TaskFlags.HoldsPermit) && !_gates.TryEnter(task))
        {
            task.Phase = TaskPhase.Gated;
            _gates.Enqueue(task, queue.RankOf(task));
            return false;
        }

        if (StartRateLimiter.Concerns(task))
        {
            if (!task.Has(TaskFlags.HoldsRatePermit))
            {
                task.Phase = TaskPhase.RateLimited;
                _rates.Enqueue(task, queue, _context.Effects);
                return false;
            }

            _rates.Use(task, _context.Effects);
        }

        return true;
    }

    /// <summary>A task that waited for a permit has got it and returns to its queue, at its old place.</summary>
    private void Proceed(TaskRecord? task)
    {
        if (task is null)
            return;
        task.Phase = TaskPhase.Ready;
        QueueOf(task).Add(task);
    }

    private void OnPermitRefused(TaskCommand.PermitRefused refused)
    {
        foreach (var task in _rates.Close(refused.Gate))
            End(task, TaskState.Failed, failure: new TaskFailure(refused.Reason, refused.Message));
    }

    private WorkerNode? Choose(WorkerPool pool, HandlerRoute route, int lane, TaskRecord task)
    {
        WorkerNode? best = null;
        var neighbours = pool.LaneCount > 1 && lane == (int)WorkKind.Io && Expected(task) < _context.Options.IoNeighboursBelow.Ticks ? _context.Options.IoNeighbours : 1;
        foreach (var worker in pool.Workers)
        {
            if (route.Includes(worker) && CanTake(worker, lane, task) && (best is null || IsBetter(worker.Lanes[lane], best.Lanes[lane], neighbours)))
                best = worker;
        }

        return best;
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
            return target.BacklogTicks <= _context.Options.PrefetchOneBelow.Ticks;
        return target.Waiting < _context.Options.MaxCredits && target.BacklogTicks + Expected(task) <= _context.Options.PrefetchTarget.Ticks;
    }

    /// <summary>A task's expected run time; a handler that has never run counts as a full window.</summary>
    private long Expected(TaskRecord task) =>
        task.Handler.ExpectedTicks == 0 ? _context.Options.PrefetchTarget.Ticks : task.Handler.ExpectedTicks;

    private void Pin(TaskRecord task, WorkerNode worker, int lane)
    {
        // Its worker has become busy since then: other tasks need not wait for that worker.
        PassOnRatePermit(task);
        task.Phase = TaskPhase.Pinned;
        task.Worker = worker;
        worker.Pool.Pinned++;
        (worker.Pinned[lane] ??= []).Add(new RankedTask(QueueOf(task).RankOf(task), task.Id, task));
    }

    private void Unpin(TaskRecord task)
    {
        var worker = task.Worker!;
        var lane = worker.Pool.LaneOf(task.Handler.Kind);
        worker.Pool.Pinned--;
        worker.Pinned[lane]!.Remove(new RankedTask(QueueOf(task).RankOf(task), task.Id, task));
        task.Worker = null;
    }

    private void UnpinAll(WorkerNode worker)
    {
        for (var lane = 0; lane < worker.Pinned.Length; lane++)
        {
            foreach (var item in worker.Pinned[lane] ?? [])
            {
                item.Task.Worker = null;
                worker.Pool.Pinned--;
                MakeReady(item.Task);
            }

            worker.Pinned[lane] = null;
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
            while (worker.Pinned[lane] is { Count: > 0 } pinned && pinned.Min.CompareTo(limit) < 0 && CanTake(worker, lane, pinned.Min.Task))
            {
                var task = pinned.Min.Task;
                Unpin(task);
                if (PassesGates(task, QueueOf(task)))
                    Assign(task, worker);
            }
        }
    }

    /// <summary>
    /// Takes back prefetched attempts that have not started while another worker is idle, so that a short task never waits behind a long
    /// one beside an idle worker. A task's waiting time is an estimate, so if it seems too short to be worth a message it is evaluated
    /// again later.
    /// </summary>
    private void Rebalance()
    {
        _rebalanceAt = long.MaxValue;
        foreach (var pool in _pools)
        {
            if (!pool.CanKill)
                continue;
            var dry = 0;
            var dryGroups = 0UL;
            foreach (var worker in pool.Workers)
            {
                if (!worker.IsClosed && worker.Lanes[0].Outstanding < worker.Lanes[0].Slots && pool.FirstFor(worker, 0) is null)
                {
                    dry++;
                    dryGroups |= worker.GroupBit;
                }
            }

            for (var i = 0; dry > 0 && i < pool.Workers.Count; i++)
                dry -= TakeBackFrom(pool.Workers[i].Lanes[0], dryGroups);
        }
    }

    /// <summary>
    /// Requests back the later half of a lane's window, as far as the idle groups could run it; returns the number of requested
    /// tasks.
    /// </summary>
    private int TakeBackFrom(Lane lane, ulong dryGroups)
    {
        if (lane.Waiting == 0 || !AnyFor(dryGroups, lane))
            return 0;
        var elapsed = _context.Now - lane.First!.StartedAt;
        // A task that exceeds its expected run time is expected to run as long again.
        var wait = Math.Max(lane.BacklogTicks - elapsed, elapsed);
        if (wait < _context.Options.TakeBackAbove.Ticks)
        {
            _rebalanceAt = Math.Min(_rebalanceAt, _context.Now + _context.Options.TakeBackAbove.Ticks);
            return 0;
        }

        var asked = 0;
        var wanted = (lane.Waiting + 1) / 2;
        for (var task = lane.Last; task is not null && wanted > 0 && !task.Has(TaskFlags.Running); task = task.Previous, wanted--)
        {
            if (task.Policy.AffinityKey.Length > 0 || (task.Handler.Route!.Groups & dryGroups) == 0)
                continue;
            if (!task.Has(TaskFlags.ReturnRequested))
                AskBack(task);
            asked++;
        }

        return asked;
    }

    /// <summary>Whether the lane holds a waiting attempt that one of these groups could run; if not, it is not evaluated again later.</summary>
    private static bool AnyFor(ulong groups, Lane lane)
    {
        for (var task = lane.Last; task is not null && !task.Has(TaskFlags.Running); task = task.Previous)
        {
            if ((task.Handler.Route!.Groups & groups) != 0)
                return true;
        }

        return false;
    }
}
