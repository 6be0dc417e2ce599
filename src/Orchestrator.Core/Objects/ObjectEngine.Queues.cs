using System.Runtime.InteropServices;
using Orchestrator.Core.Queues;
using Orchestrator.Core.Sessions;

namespace Orchestrator.Core.Objects;

/// <summary>Queues: put, get and join. A queue lasts until it is deleted or has been idle for the time that its creator set.</summary>
public sealed partial class ObjectEngine
{
    private readonly ObjectMap<QueueState> _queues;

    internal void OnPutItems(PutItems command)
    {
        if ((FindQueue(command.Queue, out var queue) ?? command.ValidateTimeout() ?? ValidatePut(command, queue!) ?? ValidateShare(queue!.Client, command.ContentBytes)) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        queue!.LastUsed = Now;
        if (queue.IsShutDown)
            Complete(command, new PutOutcome(WaitStatus.ShutDown, 0));
        else if (queue.Putters.Count == 0 && queue.Fits(command.Items.Count, Bytes(command.Items)))
            PutAll(command, queue);
        else if (command.Timeout == TimeSpan.Zero)
            PutWhatFits(command, queue);
        else if (Suspend(command, command.Session, queue, queue.Putters) is not null)
        {
            var before = _kernel.OutcomeCount;
            ServeQueue(queue);
            _kernel.DeliverFirst(command, before);
        }
    }

    internal void OnGetItems(GetItems command)
    {
        if ((FindQueue(command.Queue, out var queue) ?? command.ValidateTimeout() ?? ValidateGet(command)) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        queue!.LastUsed = Now;
        // Gets wait only while nothing is ready, so no earlier get has a claim on a ready item.
        var canTake = queue.Ready.Count > 0;
        if (!canTake && (queue.IsShutDown || command.Timeout == TimeSpan.Zero))
        {
            Complete(command, queue.IsShutDown ? GetOutcome.ShutDown : GetOutcome.TimedOut);
            return;
        }

        var session = command.Session;
        if (command.Leased && session is null && (session = OpenImplicit(command, command.Lease)) is null)
            return;
        if (!canTake)
        {
            Suspend(command, session, queue, queue.Getters);
            return;
        }

        Complete(command, Take(queue, command, session));
        ServeQueue(queue);
    }

    internal void OnJoinQueue(JoinQueue command)
    {
        if ((FindQueue(command.Queue, out var queue) ?? command.ValidateTimeout()) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        queue!.LastUsed = Now;
        if (queue.Unfinished == 0)
            Complete(command, JoinOutcome.Finished);
        else if (command.Timeout == TimeSpan.Zero)
            Complete(command, new JoinOutcome(WaitStatus.Timeout, queue.Unfinished));
        else
            Suspend(command, command.Session, queue, queue.Joiners);
    }

    /// <summary>Serves the waiters: joins, then gets and puts in turn, since each makes room for the other.</summary>
    internal void ServeQueue(QueueState queue)
    {
        queue.LastUsed = Now;
        while (queue.Unfinished == 0 && queue.Joiners.First is { } join)
            Resume(join, JoinOutcome.Finished);
        do
        {
            while (queue.Ready.Count > 0 && queue.Getters.First is { } getter)
                Resume(getter, Take(queue, (GetItems)getter.Command, getter.Session));
        }
        while (ServePutters(queue) && queue.Getters.Count > 0);
    }

    private bool ServePutters(QueueState queue)
    {
        var moved = false;
        while (queue.Putters.First is { } putter)
        {
            var items = ((PutItems)putter.Command).Items;
            var accepted = QueueState.Accepted(putter);
            if (queue.Accept(items, accepted, Now) is > 0 and var more)
            {
                moved = true;
                accepted += more;
                putter.Progress = accepted;
                if (accepted < items.Count)
                    _kernel.RecordProgress(putter);
            }

            if (accepted < items.Count)
                break;
            Resume(putter, PutOutcome.All(accepted));
        }

        return moved;
    }

    private void PutAll(PutItems command, QueueState queue)
    {
        foreach (var item in command.Items)
            queue.Add(item.Body, item.Priority, Now);
        Complete(command, PutOutcome.All(command.Items.Count));
        if (queue.Getters.Count > 0)
            ServeQueue(queue);
    }

    /// <summary>One attempt: puts the items that fit, also into the room that waiting gets make at once.</summary>
    private void PutWhatFits(PutItems command, QueueState queue)
    {
        var before = _kernel.OutcomeCount;
        var accepted = 0;
        while (queue.Putters.Count == 0 && queue.Accept(command.Items, accepted, Now) is > 0 and var more)
        {
            accepted += more;
            ServeQueue(queue);
        }

        Complete(command, accepted == command.Items.Count ? PutOutcome.All(accepted) : new PutOutcome(WaitStatus.Timeout, accepted));
        _kernel.DeliverFirst(command, before);
    }

    /// <summary>Takes ready items, at least one.</summary>
    private GetOutcome Take(QueueState queue, GetItems command, Session? session)
    {
        var count = Math.Min(Math.Max(1, command.MaxItems), queue.Ready.Count);
        var items = new List<QueueItem>(count);
        CollectionsMarshal.SetCount(items, count);
        var span = CollectionsMarshal.AsSpan(items);
        var hold = command.Leased ? OpenHold(queue, session!, command.Flow) : null;
        var bytes = 0L;
        var taken = 0;
        for (; taken < count && (taken == 0 || bytes + queue.Ready.NextBytes <= command.MaxBytes); taken++)
        {
            var entry = queue.Ready.Take();
            entry.Deliveries++;
            bytes += entry.Bytes;
            span[taken] = new QueueItem(entry, hold is null ? 0 : Lease(queue, hold, entry, command.Lease));
            if (hold is null)
                queue.Log?.Remove(entry);
            else
                queue.Log?.Move(entry);
        }

        if (taken < count)
            items.RemoveRange(taken, count - taken);
        return new GetOutcome(WaitStatus.Ok, items, hold?.Session) { Source = queue };
    }

    private QueueHold OpenHold(QueueState queue, Session session, string flow)
    {
        if (queue.FindHold(session) is { } hold)
        {
            hold.ShareWith(flow);
            return hold;
        }

        hold = new QueueHold(session, queue, flow, Now);
        queue.Add(hold);
        AddHold(hold);
        return hold;
    }

    private ulong Lease(QueueState queue, QueueHold hold, in QueueEntry entry, TimeSpan? duration)
    {
        var lease = new QueueLease(NextOrder(), ++_lastLeaseId, queue, entry);
        queue.Add(lease, hold);
        if (duration is { } span)
        {
            queue.SetTimed(lease, true);
            SetTimer(lease, After(span));
        }

        return lease.Id;
    }

    private static long Bytes(IReadOnlyList<PutItem> items)
    {
        var bytes = 0L;
        foreach (var item in items)
            bytes += item.Body.Bytes;
        return bytes;
    }

    private ObjectError? FindQueue(string name, out QueueState? queue)
    {
        queue = _queues.Find(name);
        return queue is null ? NoSuchQueue(name) : ValidateDurable(queue.Spec.Durability);
    }

    private static ObjectError NoSuchQueue(string name) =>
        ObjectQuota.ValidateName(ObjectKind.Queue, name)
        ?? new ObjectError(ObjectErrorReason.NotFound, $"there is no queue \"{name}\"; create it with CreateQueue") { Field = "queue" };

    private static ObjectError? ValidatePut(PutItems command, QueueState queue)
    {
        if (command.Items.Count == 0)
            return ObjectError.Invalid("items", "items must hold at least one item");
        for (var i = 0; i < command.Items.Count; i++)
        {
            var bytes = command.Items[i].Body.Bytes;
            if (bytes > queue.Spec.MaxBytes)
                return ObjectError.Invalid($"items[{i}]", $"item {i} of {bytes} bytes can never fit in {queue}, which keeps at most {queue.Spec.MaxBytes} bytes");
        }

        return null;
    }

    private ObjectError? ValidateGet(GetItems command)
    {
        if (command.MaxItems < 0)
            return ObjectError.Invalid("max_items", $"max_items {command.MaxItems} must be at least 1, or 0 for 1");
        if (command.Lease is null)
            return null;
        return command.Leased
            ? ValidateTtl("lease", command.Lease)
            : ObjectError.Invalid("lease", "a lease is for gets with leased = true; items taken permanently have none");
    }
}
