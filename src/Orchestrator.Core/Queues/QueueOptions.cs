namespace Orchestrator.Core.Queues;

/// <summary>The limits of queues.</summary>
public sealed record QueueOptions
{
    /// <summary>The most items of a queue whose creator names no bound.</summary>
    public long DefaultMaxItems { get; init; } = 10_000;

    /// <summary>The most bytes of a queue whose creator names no bound.</summary>
    public long DefaultMaxBytes { get; init; } = 64L << 20;

    /// <summary>The most items that a queue may ask for.</summary>
    public long MaxItems { get; init; } = 100_000_000;

    /// <summary>The most bytes that a queue may ask for.</summary>
    public long MaxBytes { get; init; } = 64L << 30;

    /// <summary>The longest aging or idle time that a queue may ask for.</summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromDays(365);

    /// <summary>
    /// Every lease id is larger: a restarted host passes a number above those of its earlier process, so that a late settlement can never
    /// affect another lease.
    /// </summary>
    public ulong LastLeaseId { get; init; }
}
