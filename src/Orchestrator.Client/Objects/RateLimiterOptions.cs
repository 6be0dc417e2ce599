using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>How a rate limiter is created: so many permits in each period.</summary>
public sealed record RateLimiterOptions
{
    /// <summary>Permits in each <see cref="Period"/>.</summary>
    public required long Permits { get; init; }

    /// <summary>The period.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The most unused permits that are kept; 0 keeps <see cref="Permits"/>.</summary>
    public long Burst { get; init; }

    /// <summary>Never more than the permits in any period, instead of a bucket that fills steadily.</summary>
    public bool SlidingWindow { get; init; }

    internal RateLimiterSpec ToMessage(string name) => new()
    {
        Name = name,
        Permits = Permits,
        Period = TimeLimits.Finite(Period, "permits would come only once"),
        Burst = Burst,
        SlidingWindow = SlidingWindow,
    };
}
