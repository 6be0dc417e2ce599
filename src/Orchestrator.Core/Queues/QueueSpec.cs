using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Queues;

/// <summary>A queue's settings. Two are equal if all their settings are, with the defaults filled in.</summary>
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

    /// <summary>An item that is returned after this many deliveries is not delivered again; 0 sets no bound.</summary>
    public int MaxDeliveries { get; init; }

    /// <summary>
    /// The queue for rejected items and those with too many deliveries; empty drops them. If there is no queue of this name, the first such
    /// item creates a FIFO queue with the default bounds.
    /// </summary>
    public string DeadLetterQueue { get; init; } = "";

    /// <summary>
    /// For PRIORITY: a waiting item's priority improves by one per this much time. Aging is continuous, so that the order of two items
    /// never changes while they wait. Null disables aging.
    /// </summary>
    public TimeSpan? Aging { get; init; }

    /// <summary>The queue disappears when it has been empty and unused for this long; null keeps it.</summary>
    public TimeSpan? IdleTtl { get; init; }

    /// <summary>The options that differ from <paramref name="asked"/>.</summary>
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
