using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Queues;

/// <summary>Settlement of taken items, and the end of their leases.</summary>
internal sealed class QueueSettlements(IPrimitiveContext context, QueueTable table, QueueLeases leases, QueueTransfers transfers)
{
    public void Settle(SettleItems command)
    {
        if ((table.Find(command.Queue, out var queue) ?? ValidateSettle(command)) is { } wrong)
        {
            context.Complete(command, wrong);
            return;
        }

        var settled = new List<QueueLease>(command.LeaseIds.Count);
        List<ulong>? stale = null;
        foreach (var id in command.LeaseIds)
        {
            var lease = queue!.FindLease(id);
            if (lease is null || lease.IsBeingSettled || !MaySettle(command, lease.Hold!.Session))
            {
                (stale ??= []).Add(id);
                continue;
            }

            lease.IsBeingSettled = true;
            settled.Add(lease);
        }

        context.Complete(command, new SettleOutcome(settled.Count, stale ?? (IReadOnlyList<ulong>)[]));
        foreach (var lease in settled)
        {
            lease.IsBeingSettled = false;
            Settle(lease, command);
        }

        transfers.Serve(queue!);
    }

    public void MarkDone(MarkItemsDone command)
    {
        var wrong = table.Find(command.Queue, out var queue);
        if (wrong is null && command.Count < 0)
            wrong = ObjectError.Invalid("count", $"the count {command.Count} must be at least 1, or 0 for 1");
        var count = Math.Max(1, command.Count);
        if (wrong is null && count > queue!.Unfinished)
        {
            wrong = new ObjectError(
                ObjectErrorReason.OverReleased, $"{queue} has {queue.Unfinished} unfinished items, and {count} were marked done")
            {
                Field = "count",
            };
        }

        if (wrong is not null)
        {
            context.Complete(command, wrong);
            return;
        }

        queue!.Finished(count);
        context.Complete(command, new MarkDoneOutcome(queue.Unfinished));
        transfers.Serve(queue);
    }

    /// <summary>The time of a lease or a delay has passed.</summary>
    public void OnLeaseDue(QueueLease lease)
    {
        var queue = lease.Queue;
        if (lease.Hold is null)
        {
            queue.Remove(lease);
            queue.Return(lease.Entry);
        }
        else
        {
            ComeBack(lease, "its lease ended");
        }

        transfers.Serve(queue);
    }

    /// <summary>
    /// A consumer's session has ended: its leased items return to the front in their old order and are then offered to other
    /// getters.
    /// </summary>
    public void OnConsumerEnded(QueueHold hold)
    {
        var queue = (QueueState)hold.Object;
        while (hold.Leases.First is { } lease)
            ComeBack(lease, $"its consumer {hold.Session} ended");
        transfers.Serve(queue);
    }

    /// <summary>
    /// Moves an item to the dead-letter queue, ahead of waiting puts; without a dead-letter queue, or if that queue accepts no more, the
    /// item is dropped and counted: a consumer that rejects must not wait.
    /// </summary>
    public void Bury(QueueState queue, in QueueEntry entry, string reason)
    {
        queue.Finished(1);
        queue.Log?.Remove(entry);
        if (OpenDeadLetters(queue.Spec) is not { IsShutDown: false } target || !target.Fits(1, entry.Bytes))
        {
            queue.Dropped++;
            return;
        }

        queue.DeadLettered++;
        var body = (entry.Body as DeadLetter)?.Body ?? entry.Body;
        var letter = new DeadLetter(body, queue.Name, (ulong)entry.Sequence, entry.Deliveries, reason);
        target.Add(new Content(letter, entry.Bytes), entry.Priority, context.Now);
        transfers.Serve(target);
    }

    /// <summary>
    /// Without a session, the caller must be a client with the credential of the session that leased the item, or a task to which
    /// the lease was handed on: lease ids can be guessed.
    /// </summary>
    private static bool MaySettle(SettleItems command, Session owner) =>
        command.Session is { } session
            ? session == owner
            : command.Client is not { } client || client.ActsForTasks || owner.MayBeUsedBy(client);

    private void Settle(QueueLease lease, SettleItems command)
    {
        var queue = lease.Queue;
        switch (command.Settlement)
        {
            case Settlement.Done:
                leases.End(lease);
                queue.Log?.Remove(lease.Entry);
                queue.Finished(1);
                break;
            case Settlement.Return when command.Duration > TimeSpan.Zero && !IsWornOut(lease) && !queue.IsEmptied:
                leases.End(lease);
                queue.Delayed.Add(lease);
                context.SetTimer(lease, context.After(command.Duration.Value));
                queue.Log?.Move(lease.Entry, lease.Deadline);
                break;
            case Settlement.Return:
                ComeBack(lease, "it was returned");
                break;
            case Settlement.Reject:
                leases.End(lease);
                Bury(queue, lease.Entry, command.Reason.Length > 0 ? $"rejected: {command.Reason}" : "rejected");
                break;
            case Settlement.Extend:
                queue.SetTimed(lease, true);
                context.SetTimer(lease, context.After(command.Duration!.Value));
                // An implicit session that was created with the lease must live as long as the lease.
                context.ExtendImplicit(lease.Hold!.Session, lease.Deadline);
                break;
        }
    }

    private static bool IsWornOut(QueueLease lease) => lease.Queue.Spec.MaxDeliveries is > 0 and var most && lease.Entry.Deliveries >= most;

    /// <summary>
    /// Returns a delivered item to the front, or to the dead-letter queue when it has reached its maximum number of deliveries.
    /// </summary>
    private void ComeBack(QueueLease lease, string how)
    {
        leases.End(lease);
        if (IsWornOut(lease) && !lease.Queue.IsEmptied)
        {
            Bury(
                lease.Queue, lease.Entry, $"delivered {lease.Entry.Deliveries} times, the most that the queue allows; the last time {how}");
        }
        else
            lease.Queue.Return(lease.Entry);
    }

    /// <summary>A dead-letter queue that is created implicitly has the durability of the queue that it serves.</summary>
    private QueueState? OpenDeadLetters(QueueSpec source)
    {
        var name = source.DeadLetterQueue;
        if (name.Length == 0)
            return null;
        if (table.Find(name) is { } found)
            return found;
        return table.ValidateNew(name) is null
            ? table.Create(table.WithDefaults(new QueueSpec(name, QueueKind.Fifo) { Durability = source.Durability }))
            : null;
    }

    private ObjectError? ValidateSettle(SettleItems command)
    {
        var duration = command.Duration;
        return command.Settlement switch
        {
            Settlement.Done or Settlement.Reject when duration is not null => ObjectError.Invalid(
                "duration", $"a duration is for EXTEND and RETURN, not for {ContractNames.Of(command.Settlement)}"),
            Settlement.Extend when duration is null => ObjectError.Invalid(
                "duration", "EXTEND needs a duration: how long from now the lease lasts"),
            Settlement.Return when duration == TimeSpan.Zero => null,
            Settlement.Done or Settlement.Reject or Settlement.Return or Settlement.Extend => context.ValidateTtl("duration", duration),
            _ => ObjectError.Invalid(
                "settlement", $"the settlement {(int)command.Settlement} must be DONE (1), RETURN (2), REJECT (3) or EXTEND (4)"),
        };
    }
}
