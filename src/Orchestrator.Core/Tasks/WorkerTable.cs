using Orchestrator.Core.Scheduling;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tasks;

/// <summary>
/// The workers and groups of workers: what they offer when they join, and what follows when they drain, die or are given up.
/// </summary>
internal sealed class WorkerTable(
    TaskEngineContext context,
    WorkerPools pools,
    WaitingTasks waiting,
    Rebalancer rebalancer,
    AttemptLifecycle attempts,
    TaskTransitions transitions,
    DependencyTracker dependencies)
{
    public void OnJoined(TaskCommand.WorkerJoined joined)
    {
        var pool = pools[joined.Description.Placement];
        var group = pool.Announce(joined.Description.Group);
        var worker = new WorkerNode(joined.Description, context.Options.BriefBelow.Ticks) { Channel = joined.Channel, GroupBit = group };
        pool.Workers.Add(worker);
        foreach (var offer in joined.Handlers)
            OnOffer(pool, offer, group);
        context.Effects.Joined = worker;
        ResolveWaiting(pool);
    }

    public void OnDraining(WorkerNode worker)
    {
        if (worker.IsClosed)
            return;
        worker.IsDraining = true;
        Close(worker);
    }

    /// <summary>The worker gets no new attempts; its unstarted ones are requested back.</summary>
    public void Close(WorkerNode worker)
    {
        Unpin(worker);
        foreach (var lane in worker.Lanes)
        {
            for (var task = lane.FirstWaiting; task is not null; task = task.Next)
                rebalancer.RequestBack(task);
        }
    }

    public void OnLost(TaskCommand.WorkerLost lost)
    {
        var worker = lost.Worker;
        if (worker.HasLeft)
            return;
        worker.HasLeft = true;
        pools.Of(worker).Workers.Remove(worker);
        Unpin(worker);
        foreach (var lane in worker.Lanes)
        {
            while (lane.First is { } task)
            {
                var started = lost.Recorder is null || lost.Recorder[task.Slot] != 0;
                var finished = lost.Recorder is not null && lost.Recorder[task.Slot] == FlightRecord.Ended;
                attempts.OnLost(task, started, finished, lost.PostMortem);
            }
        }

        foreach (var task in worker.HeldPermits ?? [])
            waiting.ReturnPermit(task);
        worker.HeldPermits = null;
    }

    public void OnGroupGivenUp(GroupLoss loss)
    {
        var pool = pools.WorkerProcesses;
        pool.GiveUp(loss);
        // Tasks that wait for a dependency or their next attempt are checked when that wait ends.
        var stranded = context.Tasks.NewestBefore(long.MaxValue)
            .Where(task => task.Phase is TaskPhase.Ready or TaskPhase.AwaitingConcurrency or TaskPhase.AwaitingStartRate
                && pools.Of(task) == pool && pool.IsLost(task.Handler.Route!.Groups))
            .Reverse()
            .ToArray();
        foreach (var task in stranded)
        {
            // The end of one may have ended another.
            if (task.HasEnded)
                continue;
            waiting.Remove(task);
            transitions.EndForLoss(task, pool.LossesOf(task.Handler.Route!.Groups));
        }

        ResolveWaiting(pool);
    }

    public void OnGroupStarting(string group) => pools.WorkerProcesses.Revive(group);

    /// <summary>Ends a task whose handler none of the groups offers.</summary>
    public void EndUnknownHandler(TaskRecord task)
    {
        var pool = pools.Of(task);
        if (pool.UnheardLosses.ToArray() is { Length: > 0 } losses)
        {
            // It may be a handler of the lost groups.
            transitions.EndForLoss(task, losses);
            return;
        }

        var names = pool.Handlers.Keys;
        var near = NameSuggestions.Of(task.Handler.Name, names);
        var hint = near.Count > 0
            ? $"; did you mean {string.Join(" or ", near.Select(name => $"'{name}'"))}?"
            : names.Count == 0 ? "; there are none at this placement" : "; ListHandlers names them";
        transitions.End(task, TaskState.Failed, failure: new TaskFailure(
            FailureReason.HandlerNotFound, $"there is no handler '{task.Handler.Name}'{hint}"));
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
        var old = WorkerPools.RouteOf(handler);
        var lane = pool.LaneOf(handler.Kind);
        var moved = old is null || handler.Tally.Queued == 0
            ? []
            : context.Tasks.NewestBefore(long.MaxValue)
                .Where(task => task.Handler == handler && task.Phase == TaskPhase.Ready)
                .Reverse()
                .ToArray();
        foreach (var task in moved)
            old!.Queues[lane].Remove(task);
        var route = pool.RouteOf(groups);
        handler.Route = route;
        handler.Groups = pool.NamesOf(groups);
        foreach (var task in moved)
            route.Queues[lane].Add(task);
    }

    /// <summary>Resolves tasks that arrived before all groups of workers had announced their handlers.</summary>
    private void ResolveWaiting(WorkerPool pool)
    {
        foreach (var task in waiting.TakeUnresolved(pool))
        {
            if (!pool.Handlers.TryGetValue(task.Handler.Name, out var handler))
            {
                if (pool.HasCatalog)
                    EndUnknownHandler(task);
                else
                    waiting.AddUnresolved(task);
                continue;
            }

            context.Usage.Resolve(task, handler);
            if (!dependencies.Block(task))
                transitions.MakeReadyAfterBackoff(task);
        }
    }

    private void Unpin(WorkerNode worker)
    {
        foreach (var task in waiting.TakePinned(worker))
            transitions.MakeReady(task);
    }
}
