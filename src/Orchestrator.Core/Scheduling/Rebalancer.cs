using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Scheduling;

/// <summary>
/// Takes back prefetched attempts that have not started while another worker is idle, so that a short task never waits behind a long
/// one beside an idle worker. A task's waiting time is an estimate, so if it seems too short to be worth a message it is evaluated
/// again later.
/// </summary>
internal sealed class Rebalancer(TaskEngineContext context, WorkerPools pools)
{
    /// <summary>When to evaluate again; <see cref="long.MaxValue"/> while nothing waits.</summary>
    public long DueAt { get; private set; } = long.MaxValue;

    public void Rebalance()
    {
        DueAt = long.MaxValue;
        foreach (var pool in pools.All)
        {
            if (!pool.CanKill)
                continue;
            var dry = 0;
            var dryGroups = 0UL;
            foreach (var worker in pool.Workers)
            {
                if (!worker.IsClosed && worker.Lanes[0].Outstanding < worker.Lanes[0].Slots && !pool.HasReadyFor(worker, 0))
                {
                    dry++;
                    dryGroups |= worker.GroupBit;
                }
            }

            // Where brief tasks wait, the processors are busy and a worker may wait for one: its pause is no reason to move its tasks.
            var limit = pool.Routes.Exists(static route => route.IsHeld(0)) ? context.Options.BriefStall : context.Options.TakeBackAbove;
            for (var i = 0; dry > 0 && i < pool.Workers.Count; i++)
                dry -= TakeBackFrom(pool.Workers[i].Lanes[0], dryGroups, limit.Ticks);
        }
    }

    /// <summary>Requests an attempt back from its worker, which returns it unless it has started.</summary>
    public void RequestBack(TaskRecord task)
    {
        if (task.Has(TaskFlags.ReturnRequested))
            return;
        task.Set(TaskFlags.ReturnRequested);
        context.Effects.Signals.Add(new AttemptSignal(task.Worker!, task.Id, task.Attempt, SignalKind.GiveBack));
    }

    /// <summary>
    /// Whether the lane holds a waiting attempt that one of these groups could run; if not, it is not evaluated again later.
    /// </summary>
    private static bool AnyFor(ulong groups, Lane lane)
    {
        for (var task = lane.Last; task is not null && !task.Has(TaskFlags.Running); task = task.Previous)
        {
            if ((task.Handler.Route!.Groups & groups) != 0)
                return true;
        }

        return false;
    }

    /// <summary>
    /// Requests back the later half of a lane's window, as far as the idle groups could run it; returns the number of requested
    /// tasks.
    /// </summary>
    private int TakeBackFrom(Lane lane, ulong dryGroups, long limit)
    {
        if (lane.Waiting == 0 || !AnyFor(dryGroups, lane))
            return 0;
        var elapsed = context.Now - lane.First!.StartedAt;
        // A task that exceeds its expected run time is expected to run as long again.
        var wait = Math.Max(lane.BacklogTicks - elapsed, elapsed);
        if (wait < limit)
        {
            DueAt = Math.Min(DueAt, context.Now + limit);
            return 0;
        }

        var requested = 0;
        var wanted = (lane.Waiting + 1) / 2;
        for (var task = lane.Last; task is not null && wanted > 0 && !task.Has(TaskFlags.Running); task = task.Previous, wanted--)
        {
            if (task.Policy.AffinityKey.Length > 0 || (task.Handler.Route!.Groups & dryGroups) == 0)
                continue;
            RequestBack(task);
            requested++;
        }

        return requested;
    }
}
