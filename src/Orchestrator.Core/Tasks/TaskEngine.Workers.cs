using Orchestrator.Core.Journal;
using Orchestrator.Core.Scheduling;

namespace Orchestrator.Core.Tasks;

public sealed partial class TaskEngine
{
    private void OnWorkerJoined(TaskCommand.WorkerJoined joined)
    {
        var pool = _pools[joined.Description.Placement];
        var group = pool.Announce(joined.Description.Group);
        var worker = new WorkerNode(joined.Description, pool) { Channel = joined.Channel, GroupBit = group };
        pool.Workers.Add(worker);
        foreach (var offer in joined.Handlers)
            OnOffer(pool, offer, group);
        _context.Effects.Joined = worker;
        ResolveWaiting(pool);
    }

    private void OnOffer(WorkerPool pool, HandlerOffer offer, ulong group)
    {
        if (!pool.Handlers.TryGetValue(offer.Name, out var handler))
            pool.Handlers.Add(offer.Name, handler = new HandlerProfile(offer.Name, offer.Kind, offer.Description));
        var groups = handler.Route?.Groups ?? 0;
        // A handler keeps the lane in which its queued tasks wait; another kind needs another name. Within a group, a different kind comes
        // from a new build of the same program, which still runs these tasks; a second group uses the name for another handler, so its
        // offer is not accepted.
        if (handler.Kind != offer.Kind && (groups & ~group) != 0)
            return;
        handler.Description = offer.Description;
        if ((groups & group) == 0)
            Reroute(pool, handler, groups | group);
    }

    /// <summary>Another group offers a handler: its waiting tasks wait for any of these groups from now on.</summary>
    private void Reroute(WorkerPool pool, HandlerProfile handler, ulong groups)
    {
        var old = handler.Route;
        var lane = pool.LaneOf(handler.Kind);
        var waiting = old is null || handler.Tally.Queued == 0
            ? []
            : _context.Tasks.NewestBefore(long.MaxValue).Where(task => task.Handler == handler && task.Phase == TaskPhase.Ready).Reverse().ToArray();
        foreach (var task in waiting)
            old!.Queues[lane].Remove(task);
        handler.Route = pool.RouteOf(groups);
        handler.Groups = pool.NamesOf(groups);
        foreach (var task in waiting)
            handler.Route.Queues[lane].Add(task);
    }

    /// <summary>Resolves tasks that arrived before all groups of workers had announced their handlers.</summary>
    private void ResolveWaiting(WorkerPool pool)
    {
        foreach (var task in _waiting.TakeUnresolved(pool))
        {
            if (!pool.Handlers.TryGetValue(task.Handler.Name, out var handler))
            {
                if (pool.HasCatalog)
                    EndUnknownHandler(task);
                else
                    _waiting.AddUnresolved(task);
                continue;
            }

            _context.Usage.Resolve(task, handler);
            if (!_dependencies.Block(task))
                _completion.MakeReadyAfterBackoff(task);
        }
    }

    private void OnGroupGivenUp(GroupLoss loss)
    {
        var pool = _pools.WorkerProcesses;
        pool.GiveUp(loss);
        // Tasks that wait for a dependency or their next attempt are checked when that wait ends.
        var stranded = _context.Tasks.NewestBefore(long.MaxValue)
            .Where(task => task.Phase is TaskPhase.Ready or TaskPhase.Gated or TaskPhase.RateLimited && _pools.Of(task) == pool && pool.IsLost(task.Handler.Route!.Groups))
            .Reverse()
            .ToArray();
        foreach (var task in stranded)
        {
            // The end of one may have ended another.
            if (task.HasEnded)
                continue;
            _waiting.Remove(task);
            _completion.EndForLoss(task, pool.LossesOf(task.Handler.Route!.Groups));
        }

        ResolveWaiting(pool);
    }

    private void OnWorkerDraining(WorkerNode worker)
    {
        if (worker.IsClosed)
            return;
        worker.IsDraining = true;
        CloseWorker(worker);
    }

    /// <summary>The worker gets no new attempts; its unstarted ones are requested back.</summary>
    private void CloseWorker(WorkerNode worker)
    {
        Unpin(worker);
        foreach (var lane in worker.Lanes)
        {
            for (var task = lane.FirstWaiting; task is not null; task = task.Next)
                _rebalancer.RequestBack(task);
        }
    }

    private void Unpin(WorkerNode worker)
    {
        foreach (var task in _waiting.TakePinned(worker))
            _completion.MakeReady(task);
    }

    private void OnWorkerLost(TaskCommand.WorkerLost lost)
    {
        var worker = lost.Worker;
        if (worker.HasLeft)
            return;
        worker.HasLeft = true;
        worker.Pool.Workers.Remove(worker);
        _condemned.Remove(worker);
        Unpin(worker);
        foreach (var lane in worker.Lanes)
        {
            while (lane.First is { } task)
            {
                var started = lost.Recorder is null || lost.Recorder[task.Slot] != 0;
                var finished = lost.Recorder is not null && lost.Recorder[task.Slot] == FlightRecord.Ended;
                _attempts.OnLost(task, started, finished, lost.PostMortem);
            }
        }

        foreach (var task in worker.HeldPermits ?? [])
            _waiting.ReturnPermit(task);
        worker.HeldPermits = null;
    }
}

/// <summary>The values of a flight recorder's bytes (<c>worker.proto</c>).</summary>
public static class FlightRecord
{
    /// <summary>Assigned; user code has not started.</summary>
    public const byte Assigned = 0;

    /// <summary>User code has started.</summary>
    public const byte Started = 1;

    /// <summary>User code has ended.</summary>
    public const byte Ended = 2;
}
