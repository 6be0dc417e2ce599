using Orchestrator.Coordinator.Journal.Wire;
using Orchestrator.Coordinator.Mapping;

namespace Orchestrator.Coordinator.Journal;

/// <summary>Converts changes of durable objects to records.</summary>
internal sealed class ObjectChangeMapper(JournalClock times)
{
    /// <summary>Null for changes that need no record.</summary>
    public Change? ToWire(Core.Kernel.ObjectChange change) => change switch
    {
        Core.Queues.QueueCreated created => new Change { QueueCreated = QueueOperations.ToMessage(created.Spec) },
        Core.Queues.QueueOwned owned => new Change { QueueOwned = new QueueOwned { Queue = owned.Queue, Owner = owned.Owner } },
        Core.Queues.QueueDropped dropped => new Change { QueueDropped = dropped.Queue },
        Core.Queues.QueueChanged changed => new Change { QueueChanged = ToWire(changed) },
        Core.State.StateBegun begun => new Change
        {
            StateBegun = new StateBegun
            {
                Kind = StateOperations.ToMessage(begun.Kind),
                Name = begun.Name,
                Durability = (V1.Durability)(int)begun.Durability,
                Version = begun.Version,
                Owner = begun.Owner,
            },
        },
        Core.State.StateEdited edited => new Change { StateEdited = ToWire(edited) },
        Core.State.EntryLives lives =>
            new Change { EntryLives = new EntryLives { Dict = lives.Dict, Key = lives.Key, Until = times.ToJournal(lives.Deadline) } },
        Core.State.ArrayTyped typed => new Change { ArrayTyped = new ArrayTyped { Array = typed.Array, Real = typed.IsReal } },
        Core.State.StateDeleted deleted => new Change
        {
            StateDeleted = new StateDeleted { Kind = StateOperations.ToMessage(deleted.Kind), Name = deleted.Name, Floor = deleted.Floor },
        },
        Core.Kernel.RequestAnswered answered => ToWire(answered) is { } answer ? new Change { RequestAnswered = answer } : null,
        _ => throw new InvalidOperationException($"there is no record for {change}"),
    };

    private QueueChanged ToWire(Core.Queues.QueueChanged changed)
    {
        var counts = changed.Counts;
        var message = new QueueChanged
        {
            Queue = changed.Queue,
            Counts = new QueueCounts
            {
                LastSequence = (ulong)counts.LastSequence,
                Unfinished = (ulong)counts.Unfinished,
                DeadLettered = (ulong)counts.DeadLettered,
                Dropped = (ulong)counts.Dropped,
                ShutDown = counts.IsShutDown,
                Emptied = counts.IsEmptied,
            },
        };
        foreach (var item in changed.Puts)
            message.Puts.Add(ToWire(item));
        foreach (var move in changed.Moves)
        {
            message.Moves.Add(new ItemMove
            {
                Sequence = (ulong)move.Sequence,
                Deliveries = move.Deliveries,
                DelayedUntil = times.ToJournalOrNone(move.DelayedUntil),
            });
        }

        foreach (var sequence in changed.Removed)
            message.Removed.Add((ulong)sequence);
        if (changed.Left is { } left)
            message.Left = new LeftItems { Sequences = { left.Select(sequence => (ulong)sequence) } };
        return message;
    }

    private KeptItem ToWire(in Core.Queues.KeptItem item)
    {
        var letter = item.Body as Core.Queues.DeadLetter;
        var message = new KeptItem
        {
            Sequence = (ulong)item.Sequence,
            Body = (V1.Payload)(letter?.Body ?? item.Body),
            Priority = item.Priority,
            PutAt = times.ToJournal(item.PutAt),
            Deliveries = item.Deliveries,
            HasReturned = item.HasReturned,
            Bytes = item.Bytes,
        };
        if (letter is not null)
            message.DeadLetter = new V1.DeadLetter
            {
                Queue = letter.Queue,
                Sequence = letter.Sequence,
                Deliveries = letter.Deliveries,
                Reason = letter.Reason
            };
        return message;
    }

    private static StateEdited ToWire(Core.State.StateEdited edited)
    {
        var message =
            new StateEdited { Kind = StateOperations.ToMessage(edited.Kind), Name = edited.Name, Version = edited.Change.Version };
        switch (edited.Change)
        {
            case Core.State.DictEntrySet set:
                message.EntrySet = new KeptEntry { Key = set.Key, Value = PayloadMapper.ToPayload(set.Value) };
                break;
            case Core.State.DictEntryDeleted deleted:
                message.EntryDeleted = deleted.Key;
                break;
            case Core.State.ListEdited list:
                message.List = StateOperations.ToMessage(list.Edit);
                break;
            case Core.State.ValueChanged value:
                message.Number = NumberMapper.ToMessage(value.Current);
                break;
            case Core.State.ArrayElementChanged element:
                message.ElementSet = new ElementSet { Index = (ulong)element.Index, Number = NumberMapper.ToMessage(element.Current) };
                break;
            case Core.State.ArrayCreated created:
                message.ArrayCreated = (ulong)created.Length;
                break;
            default:
                throw new InvalidOperationException($"there is no record for {edited.Change}");
        }

        return message;
    }

    private RequestAnswered? ToWire(Core.Kernel.RequestAnswered answered)
    {
        var message = new RequestAnswered { RequestId = answered.RequestId, At = times.ToJournal(answered.At) };
        switch (answered.Outcome)
        {
            case Core.Queues.PutOutcome put:
                message.Put = QueueOperations.ToResponse(put);
                break;
            case Core.Queues.MarkDoneOutcome done:
                message.MarkDone = QueueOperations.ToResponse(done);
                break;
            case Core.State.UpdateDictOutcome dict:
                message.Dict = StateOperations.ToResponse(dict);
                break;
            case Core.State.UpdateListOutcome list:
                message.List = StateOperations.ToResponse(list);
                break;
            case Core.State.UpdateValueOutcome value:
                message.Value = StateOperations.ToResponse(value);
                break;
            case Core.State.UpdateArrayOutcome array:
                message.Array = StateOperations.ToResponse(array);
                break;
            // Leases do not outlive the process: a repeated request gets new ones.
            case Core.Queues.GetOutcome { Session: null } get:
                message.Get = QueueOperations.ToResponse(get);
                break;
            case Core.Queues.SettleOutcome settle:
                message.Settle = QueueOperations.ToResponse(settle);
                break;
            case Core.Queues.ShutDownQueueOutcome shut:
                message.ShutDown = QueueOperations.ToResponse(shut);
                break;
            default:
                return null;
        }

        return message;
    }
}
