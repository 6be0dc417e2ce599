using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Queues;

/// <summary>The queues by name. A queue lasts until it is deleted or has been idle for the time that its creator set.</summary>
internal sealed class QueueTable(IPrimitiveContext context, QueueOptions options)
{
    private readonly ObjectMap<QueueState> _queues = new(ObjectKind.Queue, context);
    private readonly ContentTally _items = new(context.Contents);
    private readonly List<QueueState> _changed = [];

    public int Count => _queues.Count;

    /// <summary>How many items all queues keep, ready or not.</summary>
    public long ItemCount => _items.Entries;

    public IEnumerable<QueueState> All => _queues.All;

    public QueueState? Find(string name) => _queues.Find(name);

    /// <inheritdoc cref="ObjectMap{T}.After"/>
    public IReadOnlyList<QueueState> After(string name, int maximum) => _queues.After(name, maximum);

    /// <summary>The queue that a command names, or why it cannot be used.</summary>
    public ObjectError? Find(string name, out QueueState? queue)
    {
        queue = _queues.Find(name);
        return queue is null ? NoSuchQueue(name) : context.ValidateDurable(queue.Spec.Durability);
    }

    /// <summary>Why no queue of this name can be created; null if one can.</summary>
    public ObjectError? ValidateNew(string name) => _queues.ValidateNew(name);

    /// <summary>Creates a queue on behalf of the client of the step.</summary>
    public QueueState Create(QueueSpec spec)
    {
        var queue = Open(spec, context.Quota.Client);
        if (queue.Log is null)
            return queue;
        context.Record(new QueueCreated(spec), spec.Durability);
        if (queue.Client is { Credential: { Length: > 0 } owner })
            context.Record(new QueueOwned(spec.Name, owner), spec.Durability);
        return queue;
    }

    /// <summary>Adds a queue, new or restored, without a record of it.</summary>
    public QueueState Open(QueueSpec spec, ClientObjectQuota? owner)
    {
        context.Quota.Client = owner;
        var tally = new ContentTally(_items, owner);
        var queue = new QueueState(spec, tally, spec.Durability > Durability.Memory ? _changed : null) { LastUsed = context.Now };
        _queues.Add(queue);
        if (spec.IdleTtl is { } ttl)
        {
            queue.IdleTimer = new QueueIdleTimer(context.NextOrder(), queue);
            context.SetTimer(queue.IdleTimer, context.After(ttl));
        }

        return queue;
    }

    /// <summary>Drops a queue; its items are left to the caller.</summary>
    public void Drop(QueueState queue)
    {
        queue.IsDropped = true;
        _queues.Drop(queue);
        if (queue.Log is not null)
            context.Record(new QueueDropped(queue.Name), queue.Spec.Durability);
        if (queue.IdleTimer is { } timer)
            context.ClearTimer(timer);
    }

    public QueueSpec WithDefaults(QueueSpec spec) => spec with
    {
        MaxItems = spec.MaxItems == 0 ? options.DefaultMaxItems : spec.MaxItems,
        MaxBytes = spec.MaxBytes == 0 ? options.DefaultMaxBytes : spec.MaxBytes,
        Aging = spec.Aging == TimeSpan.Zero ? null : spec.Aging,
        IdleTtl = spec.IdleTtl == TimeSpan.Zero ? null : spec.IdleTtl,
    };

    /// <summary>At the end of a step: records its changes to durable queues.</summary>
    public void RecordChanges()
    {
        // Every step ends here, and few change a durable queue.
        if (_changed.Count == 0)
            return;
        foreach (var queue in _changed)
        {
            if (queue.Log!.Take() is { } change)
                context.Record(change, queue.Spec.Durability);
        }

        _changed.Clear();
    }

    private static ObjectError NoSuchQueue(string name) =>
        ObjectQuota.ValidateName(ObjectKind.Queue, name)
        ?? new ObjectError(ObjectErrorReason.NotFound, $"there is no queue \"{name}\"; create it with CreateQueue") { Field = "queue" };
}
