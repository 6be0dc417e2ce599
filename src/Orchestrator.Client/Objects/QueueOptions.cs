using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>The order in which a queue gives its items.</summary>
public enum QueueOrder
{
    /// <summary>The oldest first.</summary>
    Fifo = 1,

    /// <summary>The newest first.</summary>
    Lifo = 2,

    /// <summary>The item with the smallest priority first, then the oldest.</summary>
    Priority = 3,
}

/// <summary>How a queue is created.</summary>
public sealed record QueueOptions
{
    /// <summary>The order of its items.</summary>
    public QueueOrder Order { get; init; } = QueueOrder.Fifo;

    /// <summary>The most items that it holds; 0 takes the coordinator's default of 10,000. A full queue blocks its writers.</summary>
    public long MaxItems { get; init; }

    /// <summary>The most bytes that it holds; 0 takes the coordinator's default of 64 MB.</summary>
    public long MaxBytes { get; init; }

    /// <summary>What its items survive.</summary>
    public DurabilityLevel Durability { get; init; }

    /// <summary>How often an item is delivered before it is dead-lettered or dropped; 0 is no limit.</summary>
    public int MaxDeliveries { get; init; }

    /// <summary>The queue that takes rejected items and those delivered too often; empty drops them.</summary>
    public string DeadLetterQueue { get; init; } = "";

    /// <summary>For <see cref="QueueOrder.Priority"/>: each such time of waiting improves the priority by one; null never does.</summary>
    public TimeSpan? Aging { get; init; }

    /// <summary>The queue is deleted when it has not been used for this long; null keeps it.</summary>
    public TimeSpan? IdleTtl { get; init; }

    internal QueueSpec ToMessage(string name) => new()
    {
        Name = name,
        Kind = (QueueKind)Order,
        MaxItems = MaxItems,
        MaxBytes = MaxBytes,
        Durability = (Durability)Durability,
        MaxDeliveries = MaxDeliveries,
        DeadLetterQueue = DeadLetterQueue,
        Aging = TimeLimits.OrNone(Aging),
        IdleTtl = TimeLimits.OrNone(IdleTtl),
    };

    internal static QueueOptions From(QueueSpec spec) => new()
    {
        Order = spec.Kind == QueueKind.Unspecified ? QueueOrder.Fifo : (QueueOrder)spec.Kind,
        MaxItems = spec.MaxItems,
        MaxBytes = spec.MaxBytes,
        Durability = (DurabilityLevel)spec.Durability,
        MaxDeliveries = spec.MaxDeliveries,
        DeadLetterQueue = spec.DeadLetterQueue,
        Aging = spec.Aging?.ToTimeSpan(),
        IdleTtl = spec.IdleTtl?.ToTimeSpan(),
    };
}
