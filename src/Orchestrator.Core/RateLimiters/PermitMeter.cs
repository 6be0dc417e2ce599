namespace Orchestrator.Core.RateLimiters;

/// <summary>Counts the permits available at a given time. Times are ticks of 100 ns and never decrease.</summary>
internal abstract class PermitMeter
{
    /// <summary>How many permits can be taken now.</summary>
    public abstract long Available(long now);

    /// <summary>Takes permits that are available.</summary>
    public abstract PermitTicket Take(long permits, long now);

    /// <summary>Returns unused permits: at most as many become available as if they had never been taken.</summary>
    public abstract void GiveBack(long permits, PermitTicket ticket, long now);

    /// <summary>
    /// How many ticks until this many permits can have been taken, after the requests ahead. Exact for a number that one call can take; for
    /// more, a lower bound.
    /// </summary>
    public abstract long TicksUntil(long permits, long now);

    public static PermitMeter For(RateLimiterSpec spec, long now) => spec.SlidingWindow
        ? new SlidingWindow(spec.Permits, spec.Period.Ticks)
        : new TokenBucket(spec.Permits, spec.Period.Ticks, spec.Burst, now);
}

/// <summary>The data needed to return permits.</summary>
/// <param name="At">When they were taken.</param>
/// <param name="Mark">Additional data of a token bucket.</param>
internal readonly record struct PermitTicket(long At, Int128 Mark);
