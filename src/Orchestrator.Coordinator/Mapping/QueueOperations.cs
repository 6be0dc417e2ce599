using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Queues;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>Converts requests of <c>QueueService</c> to commands, and outcomes to responses.</summary>
internal static class QueueOperations
{
    public static CreateQueue ToCommand(V1.CreateQueueRequest request)
    {
        var spec = request.Spec ?? throw RequestValidationException.Invalid("spec", "spec is missing; it must describe the queue");
        return new CreateQueue(ToSpec(spec));
    }

    public static QueueSpec ToSpec(V1.QueueSpec spec) =>
        new(spec.Name, spec.Kind == V1.QueueKind.Unspecified ? QueueKind.Fifo : (QueueKind)PayloadMapper.Narrow((int)spec.Kind))
        {
            MaxItems = spec.MaxItems,
            MaxBytes = spec.MaxBytes,
            Durability = PayloadMapper.ToDurability(spec.Durability) ?? Durability.Memory,
            MaxDeliveries = spec.MaxDeliveries,
            DeadLetterQueue = spec.DeadLetterQueue,
            Aging = ProtoTime.ToTimeSpan(spec.Aging),
            IdleTtl = ProtoTime.ToTimeSpan(spec.IdleTtl),
        };

    public static V1.CreateQueueResponse ToResponse(CreateQueueOutcome outcome) => new() { Queue = ToMessage(outcome.Queue) };

    public static PutItems ToCommand(V1.PutRequest request) => new(request.Queue, ToItems(request.Items))
    {
        Timeout = ProtoTime.ToTimeSpan(request.Timeout),
        Flow = request.Flow,
        RequestId = PayloadMapper.RequestId(request.RequestId),
    };

    public static PutItem[] ToItems(IReadOnlyList<V1.QueueItem> items)
    {
        var list = new PutItem[items.Count];
        for (var i = 0; i < list.Length; i++)
            list[i] = new PutItem(PayloadMapper.ToContent(items[i].Body, "items", i, "body"), items[i].Priority);
        return list;
    }

    public static V1.PutResponse ToResponse(PutOutcome outcome) =>
        new() { Status = (V1.WaitStatus)(int)outcome.Status, Accepted = outcome.Accepted };

    public static GetItems ToCommand(V1.GetRequest request) =>
        new(request.Queue, Math.Min(request.MaxItems, PayloadMapper.MaxItems), request.Leased)
        {
            MaxBytes = PayloadMapper.MaxBytes,
            Lease = ProtoTime.ToTimeSpan(request.Lease),
            Timeout = ProtoTime.ToTimeSpan(request.Timeout),
            Flow = request.Flow,
            RequestId = PayloadMapper.RequestId(request.RequestId),
        };

    public static V1.GetResponse ToResponse(GetOutcome outcome)
    {
        var response = new V1.GetResponse { Status = (V1.WaitStatus)(int)outcome.Status, SessionId = outcome.Session?.Id ?? "" };
        foreach (var item in outcome.Items)
            response.Items.Add(ToMessage(item));
        return response;
    }

    public static SettleItems ToCommand(V1.SettleRequest request) =>
        new(request.Queue, request.LeaseIds, (Settlement)PayloadMapper.Narrow((int)request.Settlement))
        {
            Duration = ProtoTime.ToTimeSpan(request.Duration),
            Reason = request.Reason,
            RequestId = PayloadMapper.RequestId(request.RequestId),
        };

    public static V1.SettleResponse ToResponse(SettleOutcome outcome) =>
        new() { Settled = outcome.Settled, StaleLeaseIds = { outcome.StaleLeaseIds } };

    public static MarkItemsDone ToCommand(V1.MarkDoneRequest request) =>
        new(request.Queue, request.Count) { RequestId = PayloadMapper.RequestId(request.RequestId) };

    public static V1.MarkDoneResponse ToResponse(MarkDoneOutcome outcome) => new() { UnfinishedItems = outcome.Unfinished };

    public static JoinQueue ToCommand(V1.JoinRequest request) =>
        new(request.Queue) { Timeout = ProtoTime.ToTimeSpan(request.Timeout), Flow = request.Flow };

    public static V1.JoinResponse ToResponse(JoinOutcome outcome) =>
        new() { Status = (V1.WaitStatus)(int)outcome.Status, UnfinishedItems = outcome.Unfinished };

    public static ShutDownQueue ToCommand(V1.ShutDownQueueRequest request) =>
        new(request.Queue, request.Immediate) { RequestId = PayloadMapper.RequestId(request.RequestId) };

    public static V1.ShutDownQueueResponse ToResponse(ShutDownQueueOutcome outcome) => new() { DroppedItems = outcome.Dropped };

    public static DeleteQueue ToCommand(V1.DeleteQueueRequest request) => new(request.Queue);

    public static V1.QueueItem ToMessage(QueueItem item)
    {
        var message = new V1.QueueItem
        {
            Body = PayloadMapper.ToPayload(item.Body),
            Priority = item.Priority,
            Sequence = item.Sequence,
            Delivery = item.Delivery,
            LeaseId = item.LeaseId,
        };
        if (item.DeadLetter is { } letter)
            message.DeadLetter = new V1.DeadLetter
            {
                Queue = letter.Queue,
                Sequence = letter.Sequence,
                Deliveries = letter.Deliveries,
                Reason = letter.Reason
            };
        return message;
    }

    public static V1.QueueSpec ToMessage(QueueSpec spec) => new()
    {
        Name = spec.Name,
        Kind = (V1.QueueKind)(int)spec.Kind,
        MaxItems = spec.MaxItems,
        MaxBytes = spec.MaxBytes,
        Durability = (V1.Durability)(int)spec.Durability,
        MaxDeliveries = spec.MaxDeliveries,
        DeadLetterQueue = spec.DeadLetterQueue,
        Aging = ProtoTime.ToDuration(spec.Aging),
        IdleTtl = ProtoTime.ToDuration(spec.IdleTtl),
    };

    public static V1.QueueInfo ToMessage(QueueInfo info)
    {
        return new V1.QueueInfo
        {
            Spec = ToMessage(info.Spec),
            ReadyItems = info.ReadyItems,
            LeasedItems = info.LeasedItems,
            DelayedItems = info.DelayedItems,
            UnfinishedItems = info.UnfinishedItems,
            ReadyBytes = info.ReadyBytes,
            WaitingGetters = info.WaitingGetters,
            WaitingPutters = info.WaitingPutters,
            ShutDown = info.IsShutDown,
            OldestAge = ProtoTime.ToDuration(info.OldestAge),
            DeadLetteredItems = info.DeadLettered,
            DroppedItems = info.Dropped,
            Owner = info.Owner,
        };
    }
}
