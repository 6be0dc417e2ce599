using Orchestrator.Core.Journal;

namespace Orchestrator.Core.Queues;

/// <summary>In which order a queue hands out its items; the numbers are those of <c>orchestrator.v1.QueueKind</c>.</summary>
public enum QueueKind : byte
{
    /// <summary>First in, first out.</summary>
    Fifo = 1,

    /// <summary>Last in, first out.</summary>
    Lifo = 2,

    /// <summary>Smallest priority first, equal ones in the order of arrival.</summary>
    Priority = 3,
}

/// <summary>What a queue is. Two are equal when all of it is, with the defaults filled in.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">The order.</param>
public sealed record QueueSpec(string Name, QueueKind Kind)
{
    /// <summary>The most items it keeps, ready, delayed and leased together; 0 takes the default.</summary>
    public long MaxItems { get; init; }

    /// <summary>The most bytes of the items it keeps; 0 takes the default.</summary>
    public long MaxBytes { get; init; }

    /// <summary>How long an accepted item survives.</summary>
    public Durability Durability { get; init; } = Durability.Memory;

    /// <summary>An item that comes back after this many deliveries is not delivered again; 0 sets no bound.</summary>
    public int MaxDeliveries { get; init; }

    /// <summary>
    /// Where rejected items and those with too many deliveries go; empty drops them. A FIFO queue with the default bounds comes into being with
    /// the first one where there is none of this name.
    /// </summary>
    public string DeadLetterQueue { get; init; } = "";

    /// <summary>
    /// For PRIORITY: a waiting item's priority improves by one per this much time. It is taken as continuous, so that the order of two
    /// items never changes while they wait. Null does not age.
    /// </summary>
    public TimeSpan? Aging { get; init; }

    /// <summary>The queue disappears when it has been empty and unused for this long; null keeps it.</summary>
    public TimeSpan? IdleTtl { get; init; }

    /// <summary>In which options it is otherwise than <paramref name="asked"/>.</summary>
    internal string DifferencesFrom(QueueSpec asked) => ContractNames.Differences(
        ("kind", Kind, asked.Kind),
        ("max_items", MaxItems, asked.MaxItems),
        ("max_bytes", MaxBytes, asked.MaxBytes),
        ("durability", Durability, asked.Durability),
        ("max_deliveries", MaxDeliveries, asked.MaxDeliveries),
        ("dead_letter_queue", DeadLetterQueue, asked.DeadLetterQueue),
        ("aging", Aging, asked.Aging),
        ("idle_ttl", IdleTtl, asked.IdleTtl));
}
