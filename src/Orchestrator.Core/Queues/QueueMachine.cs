using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Queues;

/// <summary>
/// Queues: dispatches to puts and gets (<see cref="QueueTransfers"/>), settlement (<see cref="QueueSettlements"/>) and administration
/// (<see cref="QueueAdministration"/>).
/// </summary>
internal sealed class QueueMachine : PrimitiveMachine
{
    private readonly QueueTable _table;
    private readonly QueueLeases _leases;
    private readonly QueueTransfers _transfers;
    private readonly QueueSettlements _settlements;
    private readonly QueueAdministration _administration;

    public QueueMachine(IPrimitiveContext context, QueueOptions options)
        : base(context)
    {
        _table = new QueueTable(context, options);
        _leases = new QueueLeases(context, options.LastLeaseId);
        _transfers = new QueueTransfers(context, _table, _leases);
        _settlements = new QueueSettlements(context, _table, _leases, _transfers);
        _administration = new QueueAdministration(context, options, _table, _leases, _transfers);
    }

    public int Count => _table.Count;

    /// <inheritdoc cref="QueueTable.ItemCount"/>
    public long ItemCount => _table.ItemCount;

    public ulong LastLeaseId => _leases.LastId;

    /// <inheritdoc cref="QueueAdministration.Find"/>
    public QueueInfo? Find(string name, long now) => _administration.Find(name, now);

    /// <inheritdoc cref="QueueAdministration.List"/>
    public IReadOnlyList<QueueInfo> List(string after, int maximum, long now) => _administration.List(after, maximum, now);

    /// <inheritdoc cref="QueueAdministration.Fullest"/>
    public IReadOnlyList<QueueInfo> Fullest(int maximum, long now) => _administration.Fullest(maximum, now);

    /// <summary>The items that would be delivered next; null if there is no such queue.</summary>
    public IReadOnlyList<QueueItem>? Peek(string name, int maximum) =>
        _table.Find(name)?.Ready.Peek(maximum).ConvertAll(entry => new QueueItem(entry, 0));

    /// <inheritdoc cref="QueueTable.RecordChanges"/>
    public void RecordChanges() => _table.RecordChanges();

    /// <summary>
    /// Restores the queues of an earlier process; an item whose last allowed delivery was interrupted becomes a dead letter.
    /// </summary>
    public void Restore(IReadOnlyList<RestoredQueue> restored, ClientObjectQuotaRegistry clients)
    {
        // All queues first: one may hold the dead letters of another.
        var queues = restored
            .Select(queue => (Queue: _table.Open(queue.Spec, clients.OwnerOf(queue.Owner)), queue.Items, queue.Counts))
            .ToArray();
        foreach (var (queue, _, counts) in queues)
            queue.Restore(counts);
        var wornOut = new List<(QueueState Queue, QueueEntry Entry)>();
        foreach (var (queue, items, _) in queues)
            Restore(queue, items, wornOut);
        // Behind the dead letters that are already there.
        foreach (var (queue, entry) in wornOut)
        {
            _settlements.Bury(
                queue, entry, $"delivered {entry.Deliveries} times, the most that the queue allows; the last time its coordinator ended");
        }
    }

    public override void Apply(ObjectCommand command)
    {
        switch (command)
        {
            case PutItems put:
                _transfers.Put(put);
                break;
            case GetItems get:
                _transfers.Get(get);
                break;
            case SettleItems settle:
                _settlements.Settle(settle);
                break;
            case MarkItemsDone done:
                _settlements.MarkDone(done);
                break;
            case JoinQueue join:
                _transfers.Join(join);
                break;
            case CreateQueue create:
                _administration.Create(create);
                break;
            case ShutDownQueue shutDown:
                _administration.ShutDown(shutDown);
                break;
            case DeleteQueue delete:
                _administration.Delete(delete);
                break;
            default:
                throw NotMine(command);
        }
    }

    public override void Undo(ObjectCommand command, ObjectOutcome outcome)
    {
        if (outcome is GetOutcome taken)
            _transfers.UndoGet(taken);
    }

    public override void OnTimeout(Wait wait)
    {
        Context.Resume(wait, wait.Command switch
        {
            PutItems => new PutOutcome(WaitStatus.Timeout, QueueState.Accepted(wait)),
            JoinQueue => new JoinOutcome(WaitStatus.Timeout, ((QueueState)wait.Object).Unfinished),
            _ => wait.Command.TimedOut,
        });
        OnWaiterLeft(wait);
    }

    public override void OnWaiterLeft(Wait wait) => _transfers.Serve((QueueState)wait.Object);

    public override void OnHolderEnded(Hold hold) => _settlements.OnConsumerEnded((QueueHold)hold);

    public override void OnTimer(ObjectTimer timer)
    {
        if (timer is QueueLease lease)
            _settlements.OnLeaseDue(lease);
        else
            _administration.OnIdleDue((QueueState)timer.Object);
    }

    private void Restore(QueueState queue, IReadOnlyList<KeptItem> items, List<(QueueState Queue, QueueEntry Entry)> wornOut)
    {
        var most = queue.Spec.MaxDeliveries;
        foreach (var item in items)
        {
            var entry = new QueueEntry
            {
                Body = item.Body,
                Bytes = item.Bytes,
                Sequence = item.Sequence,
                Priority = item.Priority,
                PutAt = item.PutAt,
                Deliveries = item.Deliveries,
            };
            if (item.DelayedUntil > Context.Now && !queue.IsEmptied)
                _leases.Delay(queue, entry, item.DelayedUntil);
            else if (!item.HasReturned)
                queue.Ready.Add(entry);
            else if (most > 0 && item.Deliveries >= most && !queue.IsEmptied)
                wornOut.Add((queue, entry));
            else
                queue.Return(entry);
        }
    }
}
