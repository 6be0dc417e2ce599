using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Scheduling;

/// <summary>
/// Which worker gets a task. Tasks spread over the workers; but those of a brief handler are packed on as many workers as the processors
/// can run at once, since a worker that is woken for less than its waking costs slows down all others.
/// </summary>
internal sealed class WorkerChoice(TaskEngineContext context)
{
    private readonly TaskEngineOptions _options = context.Options;
    private readonly int _briefWorkers = Math.Max(1, context.Options.BriefWorkers ?? int.MaxValue);

    // By core: the number of the last search that met a worker pinned to it.
    private int[] _metIn = [];
    private int _search;

    /// <summary>Whether a worker has room for a task, running or sent ahead.</summary>
    public bool CanTake(WorkerNode worker, int lane, TaskRecord task)
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
            return target.BacklogTicks <= _options.PrefetchOneBelow.Ticks;
        return target.Waiting < _options.MaxCredits && target.BacklogTicks + Expected(task) <= _options.PrefetchTarget.Ticks;
    }

    /// <summary>
    /// The worker for the first task of a route's queue; null if it finds no place. Where it waits for the workers on which brief tasks are
    /// packed, though others have room, the route is held.
    /// </summary>
    public WorkerNode? Choose(WorkerPool pool, HandlerRoute route, int lane, TaskRecord task)
    {
        var isShared = route.Keys.IsMixed(context.Now);
        if (IsPacked(pool, task, isShared))
        {
            var packed = ChoosePacked(pool, route, lane, task, isShared, out var isFull);
            if (packed is not null)
                return packed;
            if (isFull && !HasLonger(pool, route, lane))
            {
                route.HeldLanes |= 1 << lane;
                return null;
            }
        }

        WorkerNode? best = null;
        var neighbours = Neighbours(pool, lane, task);
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

    /// <summary>Whether a task of longer handlers waits too, for which the idle workers are meant.</summary>
    private static bool HasLonger(WorkerPool pool, HandlerRoute route, int lane)
    {
        foreach (var handler in pool.Handlers.Values)
        {
            if (handler.Tally.Queued > 0 && !handler.IsBrief && handler.Route == route && pool.LaneOf(handler.Kind) == lane)
                return true;
        }

        return false;
    }

    // A task that was taken back from a worker, or failed there, goes to a free one.
    private bool IsPacked(WorkerPool pool, TaskRecord task, bool isShared) =>
        pool.CanKill && (isShared || pool.Workers.Count > _briefWorkers) && task.Handler.IsBrief && !task.Has(TaskFlags.Charged);

    /// <summary>
    /// The best of the first workers that do nothing long, each on a core of its own; as many as brief tasks are packed on.
    /// </summary>
    /// <param name="pool">The workers.</param>
    /// <param name="route">The task's route.</param>
    /// <param name="lane">The task's lane.</param>
    /// <param name="task">The task.</param>
    /// <param name="isShared">Several clients' tasks are served, so that lanes hold less.</param>
    /// <param name="isFull">There are such workers, and none of them has room; those that do something long are no better.</param>
    private WorkerNode? ChoosePacked(WorkerPool pool, HandlerRoute route, int lane, TaskRecord task, bool isShared, out bool isFull)
    {
        WorkerNode? best = null;
        var neighbours = Neighbours(pool, lane, task);
        var limit = _options.BriefBacklog.Ticks - Expected(task);
        // The rare task of another client does not wait for room.
        var most = !isShared ? int.MaxValue
            : route.Keys.Interrupts(((FairnessQueue)task.Queue!).Key) ? 2 * _options.SharedBacklog : _options.SharedBacklog;
        var found = 0;
        _search++;
        for (var i = 0; i < pool.Workers.Count && found < _briefWorkers; i++)
        {
            var worker = pool.Workers[i];
            if (worker.IsClosed || !route.Includes(worker) || !IsQuick(worker, lane) || !IsFirstOnItsCore(worker))
                continue;
            found++;
            var target = worker.Lanes[lane];
            if ((target.Outstanding == 0 || target.BriefBacklogTicks <= limit)
                && target.Outstanding - target.Long < most
                && CanTake(worker, lane, task)
                && (best is null || IsBetter(target, best.Lanes[lane], neighbours)))
            {
                best = worker;
            }
        }

        isFull = best is null && (found == _briefWorkers || (isShared && found > 0));
        return best;
    }

    /// <summary>Whether what a worker holds delays a brief task only briefly.</summary>
    private bool IsQuick(WorkerNode worker, int lane)
    {
        // Long attempts on other lanes mostly await something. Those on the lane itself are no obstacle as long as they leave room.
        var (cpu, target) = (worker.Lanes[0], worker.Lanes[lane]);
        return cpu.Long == 0 && target.Long * 2 <= target.Slots && !IsStalled(cpu) && !IsStalled(target);
    }

    private bool IsFirstOnItsCore(WorkerNode worker)
    {
        var core = worker.Description.Core;
        if (core < 0)
            return true;
        if (core >= _metIn.Length)
            Array.Resize(ref _metIn, core + 1);
        if (_metIn[core] == _search)
            return false;
        _metIn[core] = _search;
        return true;
    }

    private bool IsStalled(Lane lane) =>
        lane.Outstanding > lane.Long && context.Now - lane.ProgressAt > _options.BriefStall.Ticks;

    private int Neighbours(WorkerPool pool, int lane, TaskRecord task) =>
        pool.LaneCount > 1 && lane == (int)WorkKind.Io && Expected(task) < _options.IoNeighboursBelow.Ticks ? _options.IoNeighbours : 1;

    // A handler that has never run counts as a full window.
    private long Expected(TaskRecord task) => task.Handler.ExpectedTicksOr(_options.PrefetchTarget);
}
