namespace Orchestrator.Core.Sync;

/// <summary>How many permits there are at a moment. Times are ticks of 100 ns and never go back.</summary>
internal abstract class PermitMeter
{
    /// <summary>How many permits can be taken now.</summary>
    public abstract long Available(long now);

    /// <summary>Takes permits that are available.</summary>
    public abstract PermitTicket Take(long permits, long now);

    /// <summary>Permits that were taken then were not used: as many are there again as would be if they had never been taken, or fewer.</summary>
    public abstract void GiveBack(long permits, PermitTicket ticket, long now);

    /// <summary>
    /// How many ticks until so many permits can have been taken, those of others first. Exact for what one call can take; no later
    /// than that for more.
    /// </summary>
    public abstract long TicksUntil(long permits, long now);

    public static PermitMeter For(RateLimiterSpec spec, long now) => spec.SlidingWindow
        ? new SlidingWindow(spec.Permits, spec.Period.Ticks)
        : new TokenBucket(spec.Permits, spec.Period.Ticks, spec.Burst, now);
}

/// <summary>By which permits can be given back.</summary>
/// <param name="At">When they were taken.</param>
/// <param name="Mark">What a token bucket notes beside.</param>
internal readonly record struct PermitTicket(long At, Int128 Mark);
