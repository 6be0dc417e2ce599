using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Queues;

/// <summary>Creation, shutdown, end and description of queues.</summary>
internal sealed class QueueAdministration(
    IPrimitiveContext context, QueueOptions options, QueueTable table, QueueLeases leases, QueueTransfers transfers)
{
    private const int MaxScanned = 10_000;

    /// <summary>The queue's current state; null if no queue has this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="now">The time, for ages.</param>
    public QueueInfo? Find(string name, long now) => table.Find(name) is { } queue ? Describe(queue, now) : null;

    /// <summary>Queues in the order of their names.</summary>
    /// <param name="after">The name after which to begin; empty for the first page.</param>
    /// <param name="maximum">The most to return.</param>
    /// <param name="now">The time, for ages.</param>
    public IReadOnlyList<QueueInfo> List(string after, int maximum, long now) =>
        [.. table.After(after, maximum).Select(queue => Describe(queue, now))];

    /// <summary>The queues that keep most items, the fullest first.</summary>
    /// <param name="maximum">The most to return.</param>
    /// <param name="now">The time, for ages; the age of a large priority queue, which a scan of it would find, is left out.</param>
    public IReadOnlyList<QueueInfo> Fullest(int maximum, long now)
    {
        var fullest = new PriorityQueue<QueueState, long>();
        foreach (var queue in table.All)
        {
            if (fullest.Count < maximum)
                fullest.Enqueue(queue, queue.KeptItems);
            else
                fullest.EnqueueDequeue(queue, queue.KeptItems);
        }

        return
        [
            .. fullest.UnorderedItems.OrderByDescending(item => item.Priority).Select(item => item.Element).Select(queue => Describe(
                queue, now, withAge: queue.Spec.Kind != QueueKind.Priority || queue.Ready.Count <= MaxScanned)),
        ];
    }

    public void Create(CreateQueue command)
    {
        var spec = table.WithDefaults(command.Spec);
        var found = table.Find(spec.Name);
        var wrong = ValidateSpec(spec)
            ?? context.ValidateDurable(spec.Durability)
            ?? (found is null ? table.ValidateNew(spec.Name) : ValidateOther(found, spec));
        if (wrong is not null)
        {
            context.Complete(command, wrong);
            return;
        }

        found ??= table.Create(spec);
        found.LastUsed = context.Now;
        context.Complete(command, new CreateQueueOutcome(Describe(found, context.Now)));
    }

    public void ShutDown(ShutDownQueue command)
    {
        if (table.Find(command.Queue, out var queue) is { } wrong)
        {
            context.Complete(command, wrong);
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
            leases.DropDelayed(queue);
            queue.LogEmptied();
            queue.Dropped += dropped;
            queue.Finished(dropped);
        }

        context.Complete(command, new ShutDownQueueOutcome(dropped));
        // Gets wait only because nothing is ready.
        while (queue.Getters.First is { } getter)
            context.Resume(getter, GetOutcome.ShutDown);
        while (queue.Putters.First is { } putter)
            context.Resume(putter, new PutOutcome(WaitStatus.ShutDown, QueueState.Accepted(putter)));
        transfers.Serve(queue);
    }

    public void Delete(DeleteQueue command)
    {
        if (table.Find(command.Queue, out var queue) is { } wrong)
        {
            context.Complete(command, wrong);
            return;
        }

        context.Complete(command, Done.Instance);
        Drop(queue!);
        var deleted = new ObjectError(ObjectErrorReason.NotFound, $"{queue} was deleted while the operation waited") { Field = "queue" };
        foreach (var list in new[] { queue!.Getters, queue.Putters, queue.Joiners })
        {
            while (list.First is { } wait)
                context.Resume(wait, deleted);
        }
    }

    /// <summary>
    /// The idle timer is due. Idle time counts from the last use, which does not move the timer, so it may not have passed yet.
    /// </summary>
    public void OnIdleDue(QueueState queue)
    {
        var ttl = queue.Spec.IdleTtl!.Value.Ticks;
        var end = queue.IsIdle ? queue.LastUsed + ttl : context.Now + ttl;
        if (end <= context.Now)
            Drop(queue);
        else
            context.SetTimer(queue.IdleTimer!, end);
    }

    private void Drop(QueueState queue)
    {
        table.Drop(queue);
        leases.DropDelayed(queue);
        foreach (var hold in queue.Consumers.ToArray())
        {
            while (hold.Leases.First is { } lease)
                leases.End(lease);
        }

        queue.Ready.Clear();
    }

    private ObjectError? ValidateSpec(QueueSpec spec)
    {
        if (ObjectQuota.ValidateName(ObjectKind.Queue, spec.Name) is { } name)
            return name with { Field = "spec.name" };
        if (spec.Kind is < QueueKind.Fifo or > QueueKind.Priority)
            return ObjectError.Invalid("spec.kind", $"the queue kind {(int)spec.Kind} must be FIFO (1), LIFO (2) or PRIORITY (3)");
        if (spec.Durability is < Durability.Memory or > Durability.Disk)
        {
            return ObjectError.Invalid(
                "spec.durability", $"the durability {(int)spec.Durability} must be MEMORY (1), PROCESS (2) or DISK (3)");
        }

        if (spec.MaxItems < 0 || spec.MaxItems > options.MaxItems)
        {
            return ObjectError.Invalid(
                "spec.max_items", $"max_items {spec.MaxItems} must be 1 to {options.MaxItems}, or 0 for {options.DefaultMaxItems}");
        }

        if (spec.MaxBytes < 0 || spec.MaxBytes > options.MaxBytes)
        {
            return ObjectError.Invalid(
                "spec.max_bytes", $"max_bytes {spec.MaxBytes} must be 1 to {options.MaxBytes}, or 0 for {options.DefaultMaxBytes}");
        }

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
        var most = options.MaxTime;
        if (spec.Aging is { } aging && (aging < TimeSpan.Zero || aging > most))
        {
            return ObjectError.Invalid(
                "spec.aging", $"the aging of {aging.TotalSeconds} s must be at most {most.TotalSeconds} s, or zero or absent for none");
        }

        if (spec.Aging is not null && spec.Kind != QueueKind.Priority)
            return ObjectError.Invalid("spec.aging", $"aging is for PRIORITY queues, not for {ContractNames.Of(spec.Kind)}");
        return spec.IdleTtl is { } idle && (idle < TimeSpan.Zero || idle > most)
            ? ObjectError.Invalid(
                "spec.idle_ttl", $"the idle_ttl of {idle.TotalSeconds} s must be at most {most.TotalSeconds} s, or zero or absent to stay")
            : null;
    }

    private static ObjectError? ValidateOther(QueueState queue, QueueSpec spec) => queue.Spec == spec
        ? null
        : ObjectError.Mismatch("spec", $"{queue} exists with different settings: {queue.Spec.DifferencesFrom(spec)}");

    private static QueueInfo Describe(QueueState queue, long now, bool withAge = true) => new(queue.Spec)
    {
        PutItems = queue.Counts.LastSequence,
        ReadyItems = queue.Ready.Count,
        LeasedItems = queue.LeasedCount,
        DelayedItems = queue.Delayed.Count,
        UnfinishedItems = queue.Unfinished,
        ReadyBytes = queue.Ready.Bytes,
        WaitingGetters = queue.Getters.Count,
        WaitingPutters = queue.Putters.Count,
        WaitingJoiners = queue.Joiners.Count,
        IsShutDown = queue.IsShutDown,
        OldestAge = withAge && queue.Ready.OldestPut() is { } put ? TimeSpan.FromTicks(now - put) : null,
        DeadLettered = queue.DeadLettered,
        Dropped = queue.Dropped,
        Owner = queue.Owner,
    };
}
