using System.Runtime.InteropServices;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Queues;

/// <summary>Puts, gets and joins.</summary>
internal sealed class QueueTransfers(IPrimitiveContext context, QueueTable table, QueueLeases leases)
{
    public void Put(PutItems command)
    {
        var wrong = table.Find(command.Queue, out var queue)
            ?? command.ValidateTimeout()
            ?? ValidatePut(command, queue!)
            ?? context.ValidateShare(queue!.Client, command.ContentBytes);
        if (wrong is not null)
        {
            context.Complete(command, wrong);
            return;
        }

        queue!.LastUsed = context.Now;
        if (queue.IsShutDown)
            context.Complete(command, new PutOutcome(WaitStatus.ShutDown, 0));
        else if (queue.Putters.Count == 0 && queue.Fits(command.Items.Count, Bytes(command.Items)))
            PutAll(command, queue);
        else if (command.Timeout == TimeSpan.Zero)
            PutWhatFits(command, queue);
        else if (context.Suspend(command, command.Session, queue, queue.Putters) is not null)
        {
            var before = context.OutcomeCount;
            Serve(queue);
            context.DeliverFirst(command, before);
        }
    }

    public void Get(GetItems command)
    {
        if ((table.Find(command.Queue, out var queue) ?? command.ValidateTimeout() ?? ValidateGet(command)) is { } wrong)
        {
            context.Complete(command, wrong);
            return;
        }

        queue!.LastUsed = context.Now;
        // Gets wait only while nothing is ready, so no earlier get has a claim on a ready item.
        var canTake = queue.Ready.Count > 0;
        if (!canTake && (queue.IsShutDown || command.Timeout == TimeSpan.Zero))
        {
            context.Complete(command, queue.IsShutDown ? GetOutcome.ShutDown : GetOutcome.TimedOut);
            return;
        }

        var session = command.Session;
        if (command.Leased && session is null && (session = context.OpenImplicit(command, command.Lease)) is null)
            return;
        if (!canTake)
        {
            context.Suspend(command, session, queue, queue.Getters);
            return;
        }

        context.Complete(command, Take(queue, command, session));
        Serve(queue);
    }

    public void Join(JoinQueue command)
    {
        if ((table.Find(command.Queue, out var queue) ?? command.ValidateTimeout()) is { } wrong)
        {
            context.Complete(command, wrong);
            return;
        }

        queue!.LastUsed = context.Now;
        if (queue.Unfinished == 0)
            context.Complete(command, JoinOutcome.Finished);
        else if (command.Timeout == TimeSpan.Zero)
            context.Complete(command, new JoinOutcome(WaitStatus.Timeout, queue.Unfinished));
        else
            context.Suspend(command, command.Session, queue, queue.Joiners);
    }

    /// <summary>Restores the state before the delivery, since no caller has seen the items.</summary>
    public void UndoGet(GetOutcome outcome)
    {
        if (outcome.Source is not { IsDropped: false } queue || outcome.IsGivenBack)
            return;
        outcome.IsGivenBack = true;
        foreach (var item in outcome.Items)
        {
            var entry = item.Entry;
            entry.Deliveries--;
            if (item.LeaseId == 0)
            {
                queue.Log?.Put(entry, hasReturned: true);
                queue.Return(entry);
            }
            else if (queue.FindLease(item.LeaseId) is { } lease)
            {
                queue.Log?.Move(entry);
                queue.Return(entry);
                leases.End(lease);
            }
        }

        Serve(queue);
    }

    /// <summary>Serves the waiters: joins, then gets and puts in turn, since each makes room for the other.</summary>
    public void Serve(QueueState queue)
    {
        queue.LastUsed = context.Now;
        while (queue.Unfinished == 0 && queue.Joiners.First is { } join)
            context.Resume(join, JoinOutcome.Finished);
        do
        {
            while (queue.Ready.Count > 0 && queue.Getters.First is { } getter)
                context.Resume(getter, Take(queue, (GetItems)getter.Command, getter.Session));
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
            if (queue.Accept(items, accepted, context.Now) is > 0 and var more)
            {
                moved = true;
                accepted += more;
                putter.Progress = accepted;
                if (accepted < items.Count)
                    context.RecordProgress(putter);
            }

            if (accepted < items.Count)
                break;
            context.Resume(putter, PutOutcome.All(accepted));
        }

        return moved;
    }

    private void PutAll(PutItems command, QueueState queue)
    {
        foreach (var item in command.Items)
            queue.Add(item.Body, item.Priority, context.Now);
        context.Complete(command, PutOutcome.All(command.Items.Count));
        if (queue.Getters.Count > 0)
            Serve(queue);
    }

    /// <summary>One attempt: puts the items that fit, also into the room that waiting gets make at once.</summary>
    private void PutWhatFits(PutItems command, QueueState queue)
    {
        var before = context.OutcomeCount;
        var accepted = 0;
        while (queue.Putters.Count == 0 && queue.Accept(command.Items, accepted, context.Now) is > 0 and var more)
        {
            accepted += more;
            Serve(queue);
        }

        context.Complete(
            command, accepted == command.Items.Count ? PutOutcome.All(accepted) : new PutOutcome(WaitStatus.Timeout, accepted));
        context.DeliverFirst(command, before);
    }

    /// <summary>Takes ready items, at least one.</summary>
    private GetOutcome Take(QueueState queue, GetItems command, Session? session)
    {
        var count = Math.Min(Math.Max(1, command.MaxItems), queue.Ready.Count);
        var items = new List<QueueItem>(count);
        CollectionsMarshal.SetCount(items, count);
        var span = CollectionsMarshal.AsSpan(items);
        var hold = command.Leased ? leases.OpenHold(queue, session!, command.Flow) : null;
        var bytes = 0L;
        var taken = 0;
        for (; taken < count && (taken == 0 || bytes + queue.Ready.NextBytes <= command.MaxBytes); taken++)
        {
            var entry = queue.Ready.Take();
            entry.Deliveries++;
            bytes += entry.Bytes;
            span[taken] = new QueueItem(entry, hold is null ? 0 : leases.Open(queue, hold, entry, command.Lease));
            if (hold is null)
                queue.Log?.Remove(entry);
            else
                queue.Log?.Move(entry);
        }

        if (taken < count)
            items.RemoveRange(taken, count - taken);
        return new GetOutcome(WaitStatus.Ok, items, hold?.Session) { Source = queue };
    }

    private static long Bytes(IReadOnlyList<PutItem> items)
    {
        var bytes = 0L;
        foreach (var item in items)
            bytes += item.Body.Bytes;
        return bytes;
    }

    private static ObjectError? ValidatePut(PutItems command, QueueState queue)
    {
        if (command.Items.Count == 0)
            return ObjectError.Invalid("items", "items must hold at least one item");
        for (var i = 0; i < command.Items.Count; i++)
        {
            var bytes = command.Items[i].Body.Bytes;
            if (bytes > queue.Spec.MaxBytes)
            {
                return ObjectError.Invalid(
                    $"items[{i}]", $"item {i} of {bytes} bytes can never fit in {queue}, which keeps at most {queue.Spec.MaxBytes} bytes");
            }
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
            ? context.ValidateTtl("lease", command.Lease)
            : ObjectError.Invalid("lease", "a lease is for gets with leased = true; items taken permanently have none");
    }
}
