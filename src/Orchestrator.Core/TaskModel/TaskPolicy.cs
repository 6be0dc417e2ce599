using Orchestrator.Core.Common;

namespace Orchestrator.Core.TaskModel;

/// <summary>
/// A task's options, validated and immutable. Tasks with equal options share one instance, so that a million queued tasks do not hold a
/// million copies.
/// </summary>
public sealed record TaskPolicy
{
    /// <summary>All options at their defaults.</summary>
    public static readonly TaskPolicy Default = new();

    /// <summary>Larger runs first.</summary>
    public int Priority { get; init; }

    /// <summary>How long an attempt may wait for its start; null is without limit.</summary>
    public TimeSpan? QueueTimeout { get; init; }

    /// <summary>How long one attempt may run; null is without limit.</summary>
    public TimeSpan? RunTimeout { get; init; }

    /// <summary>How long the task may take in all, from its acceptance; null is without limit.</summary>
    public TimeSpan? TotalTimeout { get; init; }

    /// <summary>When to try again; null is never.</summary>
    public RetryRule? Retry { get; init; }

    /// <summary>Where to run.</summary>
    public PlacementPolicy Placement { get; init; }

    /// <summary>Tasks with one key run on one worker while it lives; empty is none.</summary>
    public string AffinityKey { get; init; } = "";

    /// <summary>At most <see cref="ConcurrencyLimit"/> tasks with this key run at once; empty is none.</summary>
    public string ConcurrencyKey { get; init; } = "";

    /// <summary>The limit of <see cref="ConcurrencyKey"/>, at least 1; the limit last given holds for the key.</summary>
    public int ConcurrencyLimit { get; init; } = 1;

    /// <summary>The rate limiter from which each attempt takes a permit before it starts; empty is none.</summary>
    public string RateLimiter { get; init; } = "";

    /// <summary>The key by which the tasks of one priority share fairly; empty is the client's own.</summary>
    public string FairnessKey { get; init; } = "";

    /// <summary>The share of <see cref="FairnessKey"/> relative to others; above 0.</summary>
    public double FairnessWeight { get; init; } = 1;

    /// <summary>Tasks that must have succeeded first.</summary>
    public IReadOnlyList<long> DependsOn { get; init; } = [];

    /// <summary>How long the cooperative cancel may take before the worker is condemned; null takes the engine's default.</summary>
    public TimeSpan? CancelGrace { get; init; }

    /// <summary>How long an unread result is kept; null takes the engine's default.</summary>
    public TimeSpan? ResultTtl { get; init; }

    /// <summary>How long the task survives.</summary>
    public Durability Durability { get; init; } = Durability.Memory;

    /// <summary>The size of these options beside the task's record, in bytes; zero if it shares them with others.</summary>
    public int KeptBytes { get; init; }

    /// <summary>Labels for people and tools; never interpreted.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
}

/// <summary>When a failed attempt is followed by another.</summary>
/// <param name="MaxAttempts">Attempts in all, the first included; at least 1.</param>
/// <param name="InitialBackoff">The wait before the second attempt.</param>
/// <param name="Multiplier">By how much each further wait grows; at least 1.</param>
/// <param name="MaxBackoff">The longest wait.</param>
/// <param name="RetryWorkerLost">Whether the death of the worker is retried too.</param>
public sealed record RetryRule(int MaxAttempts, TimeSpan InitialBackoff, double Multiplier, TimeSpan MaxBackoff, bool RetryWorkerLost)
{
    /// <summary>The wait after attempt <paramref name="attempt"/> (1 is the first): exponential, capped.</summary>
    public TimeSpan BackoffAfter(int attempt)
    {
        var ticks = InitialBackoff.Ticks * Math.Pow(Multiplier, attempt - 1);
        return ticks >= MaxBackoff.Ticks ? MaxBackoff : TimeSpan.FromTicks((long)ticks);
    }
}
