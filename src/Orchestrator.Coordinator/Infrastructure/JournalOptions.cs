namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>The options of the journal.</summary>
public sealed record JournalOptions
{
    /// <summary>A snapshot is written when the records after the last one take more than this, and more than twice the last one.</summary>
    public long SnapshotAfterBytes { get; init; } = 64L << 20;

    /// <summary>How long the ends of durable tasks stay in the history that <c>ListTasks</c> reads.</summary>
    public TimeSpan HistoryAge { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How many ends of durable tasks the history holds; the oldest go first.</summary>
    public int HistoryTasks { get; init; } = 100_000;

    /// <summary>
    /// The maximum size of the history in bytes; the oldest ends go first, before <see cref="HistoryTasks"/> is reached if errors are long.
    /// </summary>
    public long HistoryBytes { get; init; } = 64L << 20;
}
