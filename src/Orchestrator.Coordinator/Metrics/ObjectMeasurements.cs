using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Telemetry;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Pipes;
using Orchestrator.Core.Queues;

namespace Orchestrator.Coordinator.Metrics;

/// <summary>The shared objects: queues and pipes by name, the fullest of them, everything else by kind; and the sessions.</summary>
internal sealed class ObjectMeasurements(ObjectEngineHost host) : IMeasurementSource
{
    // So many are looked at for the fullest.
    private const int MaxPipes = 1_000;

    // Those that can be held or waited for.
    private static readonly ObjectKind[] Kinds = [.. Enum.GetValues<ObjectKind>().Where(kind => kind <= ObjectKind.Pipe)];

    public void Write(IMeasurements to)
    {
        var kinds = host.Read((view, _) => Kinds.Select(kind => Kind.Of(kind, view.TallyOf(kind))).ToArray());
        foreach (var kind in kinds)
        {
            to.Add(Instruments.SyncHeld, kind.Held, kind.Name);
            to.Add(Instruments.SyncWaiters, kind.Waiters, kind.Name);
            to.Add(Instruments.SyncWaitDuration, kind.WaitTimes, kind.Name);
        }

        var (deadlocks, lost, sessions) = host.Read((view, _) => (
            view.Deadlocks, view.ExpiredSessions, view.Sessions.CountBy(OwnerOf).ToDictionary()));
        to.Add(Instruments.DeadlockRefused, deadlocks);
        to.Add(Instruments.SessionLost, lost);
        foreach (var owner in (string[])["client", "hold", "task"])
            to.Add(Instruments.OpenSessions, sessions.GetValueOrDefault(owner), owner);
        WriteQueues(to);
        WritePipes(to);
    }

    private void WriteQueues(IMeasurements to)
    {
        var (queues, items) = host.Read((view, now) => (view.FullestQueues(HistoryRecorder.MaxNames, now), view.QueuedItemCount));
        foreach (var queue in queues)
            Write(queue, to);
        var others = items - queues.Sum(Kept);
        if (others > 0)
            to.Add(Instruments.QueueItems, others, Instruments.Others, "ready");
    }

    private static void Write(QueueInfo queue, IMeasurements to)
    {
        var name = queue.Spec.Name;
        to.Add(Instruments.QueueItems, queue.ReadyItems, name, "ready");
        to.Add(Instruments.QueueItems, queue.LeasedItems, name, "leased");
        to.Add(Instruments.QueueItems, queue.DelayedItems, name, "delayed");
        to.Add(Instruments.QueueAge, queue.OldestAge?.TotalSeconds ?? 0, name);
        to.Add(Instruments.QueueWaiters, queue.WaitingGetters, name, "get");
        to.Add(Instruments.QueueWaiters, queue.WaitingPutters, name, "put");
        to.Add(Instruments.QueueWaiters, queue.WaitingJoiners, name, "join");
        to.Add(Instruments.QueuePut, queue.PutItems, name);
        to.Add(Instruments.QueueGot, Math.Max(0, queue.PutItems - Kept(queue) - queue.DeadLettered - queue.Dropped), name);
        to.Add(Instruments.QueueDeadLettered, queue.DeadLettered, name);
        to.Add(Instruments.QueueDropped, queue.Dropped, name);
    }

    private void WritePipes(IMeasurements to)
    {
        var pipes = host.Read((view, _) => view.ListPipes("", MaxPipes)).OrderByDescending(Buffered).ToArray();
        foreach (var pipe in pipes.Take(HistoryRecorder.MaxNames))
            to.Add(Instruments.PipeBuffered, Buffered(pipe), pipe.Spec.Name);
        if (pipes.Length > HistoryRecorder.MaxNames)
            to.Add(Instruments.PipeBuffered, pipes.Skip(HistoryRecorder.MaxNames).Sum(Buffered), Instruments.Others);
    }

    private static long Kept(QueueInfo queue) => queue.ReadyItems + queue.LeasedItems + queue.DelayedItems;

    private static long Buffered(PipeInfo pipe) => (long)pipe.A.Buffered + pipe.B.Buffered;

    private static string OwnerOf(Session session) => session.Task is not null ? "task" : session.IsImplicit ? "hold" : "client";

    private readonly record struct Kind(string Name, long Held, long Waiters, long[] WaitTimes)
    {
        public static Kind Of(ObjectKind kind, KindTally tally) =>
            new(EnumTags.Of(kind), tally.Held, tally.Waiters, tally.WaitTimes.Buckets.ToArray());
    }
}
