using Orchestrator.Core.Journal;
using Orchestrator.Core.Queues;
using Orchestrator.Core.Sessions;

namespace Orchestrator.Core.Objects;

/// <summary>Queues: creation, end and description.</summary>
public sealed partial class ObjectEngine
{
    /// <summary>The queue's current state; null if no queue has this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="now">The time, for ages.</param>
    public QueueInfo? FindQueue(string name, TimeSpan now) => _queues.Find(name) is { } queue ? Describe(queue, Math.Max(Now, now.Ticks)) : null;

    /// <summary>Queues in the order of their names.</summary>
    /// <param name="after">The name after which to begin; empty for the first page.</param>
    /// <param name="maximum">The most to return.</param>
    /// <param name="now">The time, for ages.</param>
    public IReadOnlyList<QueueInfo> ListQueues(string after, int maximum, TimeSpan now)
    {
        var at = Math.Max(Now, now.Ticks);
        return [.. NamePager.After(_queues.All, queue => queue.Name, after, maximum).Select(queue => Describe(queue, at))];
    }

    internal void OnCreateQueue(CreateQueue command)
    {
        var spec = WithDefaults(command.Spec);
        var found = _queues.Find(spec.Name);
        if ((ValidateSpec(spec) ?? ValidateDurable(spec.Durability) ?? (found is null ? _queues.ValidateNew(spec.Name) : ValidateOther(found, spec))) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        found ??= AddQueue(spec);
        found.LastUsed = Now;
        Complete(command, new CreateQueueOutcome(Describe(found, Now)));
    }

    internal void OnShutDownQueue(ShutDownQueue command)
    {
        if (FindQueue(command.Queue, out var queue) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        queue!.IsShutDown = true;
        queue.Log?.Touch();
        var dropped = 0L;
        if (command.Immediate)
        {
            queue.IsEmptied = true;
            dropped = queue.Ready.Count + queue.Delayed.Count;
            queue.Ready.Clear();
            DropDelayed(queue);
            queue.LogEmptied();
            queue.Dropped += dropped;
            queue.Finished(dropped);
        }

        Complete(command, new ShutDownQueueOutcome(dropped));
        // Gets wait only because nothing is ready.
        while (queue.Getters.First is { } getter)
            Resume(getter, GetOutcome.ShutDown);
        while (queue.Putters.First is { } putter)
            Resume(putter, new PutOutcome(WaitStatus.ShutDown, QueueState.Accepted(putter)));
        ServeQueue(queue);
    }

    internal void OnDeleteQueue(DeleteQueue command)
    {
        if (FindQueue(command.Queue, out var queue) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        Complete(command, Done.Instance);
        DropQueue(queue!);
        var gone = new ObjectError(ObjectErrorReason.NotFound, $"{queue} was deleted while the operation waited") { Field = "queue" };
        foreach (var list in new[] { queue!.Getters, queue.Putters, queue.Joiners })
        {
            while (list.First is { } wait)
                Resume(wait, gone);
        }
    }

    /// <summary>
    /// The idle timer is due. Idle time counts from the last use, which does not move the timer, so it may not have passed yet.
    /// </summary>
    internal void OnIdleDue(QueueState queue)
    {
        var ttl = queue.Spec.IdleTtl!.Value.Ticks;
        var end = queue.IsIdle ? queue.LastUsed + ttl : Now + ttl;
        if (end <= Now)
            DropQueue(queue);
        else
            SetTimer(queue.IdleTimer!, end);
    }

    private QueueState AddQueue(QueueSpec spec)
    {
        var queue = OpenQueue(spec, _kernel.Quota.Client);
        if (queue.Log is null)
            return queue;
        Record(new QueueCreated(spec), spec.Durability);
        if (queue.Client is { Credential: { Length: > 0 } owner })
            Record(new QueueOwned(spec.Name, owner), spec.Durability);
        return queue;
    }

    private QueueState OpenQueue(QueueSpec spec, ClientObjectQuota? owner)
    {
        _kernel.Quota.Client = owner;
        var queue = new QueueState(spec, new ContentTally(_kernel.Contents, owner), spec.Durability > Durability.Memory ? _changedQueues : null) { LastUsed = Now };
        _queues.Add(queue);
        if (spec.IdleTtl is { } ttl)
        {
            queue.IdleTimer = new QueueIdleTimer(NextOrder(), queue);
            SetTimer(queue.IdleTimer, After(ttl));
        }

        return queue;
    }

    private void DropQueue(QueueState queue)
    {
        queue.IsDropped = true;
        _queues.Drop(queue);
        if (queue.Log is not null)
            Record(new QueueDropped(queue.Name), queue.Spec.Durability);
        if (queue.IdleTimer is { } timer)
            ClearTimer(timer);
        DropDelayed(queue);
        foreach (var hold in queue.Consumers.ToArray())
        {
            while (hold.Leases.First is { } lease)
                EndLease(lease);
        }

        queue.Ready.Clear();
    }

    private void DropDelayed(QueueState queue)
    {
        while (queue.Delayed.First is { } delayed)
        {
            ClearTimer(delayed);
            queue.Remove(delayed);
        }
    }

    private QueueSpec WithDefaults(QueueSpec spec) => spec with
    {
        MaxItems = spec.MaxItems == 0 ? _options.Queues.DefaultMaxItems : spec.MaxItems,
        MaxBytes = spec.MaxBytes == 0 ? _options.Queues.DefaultMaxBytes : spec.MaxBytes,
        Aging = spec.Aging == TimeSpan.Zero ? null : spec.Aging,
        IdleTtl = spec.IdleTtl == TimeSpan.Zero ? null : spec.IdleTtl,
    };

    private ObjectError? ValidateSpec(QueueSpec spec)
    {
        if (ObjectQuota.ValidateName(ObjectKind.Queue, spec.Name) is { } name)
            return name with { Field = "spec.name" };
        var limits = _options.Queues;
        if (spec.Kind is < QueueKind.Fifo or > QueueKind.Priority)
            return ObjectError.Invalid("spec.kind", $"the queue kind {(int)spec.Kind} must be FIFO (1), LIFO (2) or PRIORITY (3)");
        if (spec.Durability is < Durability.Memory or > Durability.Disk)
            return ObjectError.Invalid("spec.durability", $"the durability {(int)spec.Durability} must be MEMORY (1), PROCESS (2) or DISK (3)");
        if (spec.MaxItems < 0 || spec.MaxItems > limits.MaxItems)
            return ObjectError.Invalid("spec.max_items", $"max_items {spec.MaxItems} must be 1 to {limits.MaxItems}, or 0 for {limits.DefaultMaxItems}");
        if (spec.MaxBytes < 0 || spec.MaxBytes > limits.MaxBytes)
            return ObjectError.Invalid("spec.max_bytes", $"max_bytes {spec.MaxBytes} must be 1 to {limits.MaxBytes}, or 0 for {limits.DefaultMaxBytes}");
        if (spec.MaxDeliveries < 0)
            return ObjectError.Invalid("spec.max_deliveries", $"max_deliveries {spec.MaxDeliveries} must be at least 1, or 0 for no bound");
        return ValidateDeadLetters(spec) ?? ValidateTimes(spec);
    }

    private static ObjectError? ValidateDeadLetters(QueueSpec spec)
    {
        if (spec.DeadLetterQueue.Length == 0)
            return null;
        if (ObjectQuota.ValidateName(ObjectKind.Queue, spec.DeadLetterQueue) is { } name)
            return name with { Field = "spec.dead_letter_queue" };
        return spec.DeadLetterQueue == spec.Name
            ? ObjectError.Invalid("spec.dead_letter_queue", $"the dead-letter queue of \"{spec.Name}\" must be another queue than itself")
            : null;
    }

    private ObjectError? ValidateTimes(QueueSpec spec)
    {
        var most = _options.Queues.MaxTime;
        if (spec.Aging is { } aging && (aging < TimeSpan.Zero || aging > most))
            return ObjectError.Invalid("spec.aging", $"the aging of {aging.TotalSeconds} s must be at most {most.TotalSeconds} s, or zero or absent for none");
        if (spec.Aging is not null && spec.Kind != QueueKind.Priority)
            return ObjectError.Invalid("spec.aging", $"aging is for PRIORITY queues, not for {ContractNames.Of(spec.Kind)}");
        return spec.IdleTtl is { } idle && (idle < TimeSpan.Zero || idle > most)
            ? ObjectError.Invalid("spec.idle_ttl", $"the idle_ttl of {idle.TotalSeconds} s must be at most {most.TotalSeconds} s, or zero or absent to stay")
            : null;
    }

    private static ObjectError? ValidateOther(QueueState queue, QueueSpec spec) => queue.Spec == spec
        ? null
        : new ObjectError(ObjectErrorReason.KindMismatch, $"{queue} exists with different settings: {queue.Spec.DifferencesFrom(spec)}") { Field = "spec" };

    private static QueueInfo Describe(QueueState queue, long now) => new(queue.Spec)
    {
        ReadyItems = queue.Ready.Count,
        LeasedItems = queue.LeasedCount,
        DelayedItems = queue.Delayed.Count,
        UnfinishedItems = queue.Unfinished,
        ReadyBytes = queue.Ready.Bytes,
        WaitingGetters = queue.Getters.Count,
        WaitingPutters = queue.Putters.Count,
        WaitingJoiners = queue.Joiners.Count,
        IsShutDown = queue.IsShutDown,
        OldestAge = queue.Ready.OldestPut() is { } put ? TimeSpan.FromTicks(now - put) : null,
        DeadLettered = queue.DeadLettered,
        Dropped = queue.Dropped,
        Owner = queue.Owner,
    };

    private sealed class QueueIdleTimer(long order, QueueState queue) : ObjectTimer(order)
    {
        public override NamedObject Object => queue;

        public override void OnDue(ObjectEngine engine) => engine.OnIdleDue(queue);
    }
}
