namespace Orchestrator.Core.Queues;

/// <summary>A queue.</summary>
/// <param name="Spec">Its settings.</param>
/// <param name="Counts">Its counters.</param>
/// <param name="Items">Its items, in the order of their sequences.</param>
public sealed record RestoredQueue(QueueSpec Spec, QueueCounts Counts, IReadOnlyList<KeptItem> Items)
{
    /// <summary>The credential of its creator; empty for the coordinator's owner.</summary>
    public string Owner { get; init; } = "";
}
