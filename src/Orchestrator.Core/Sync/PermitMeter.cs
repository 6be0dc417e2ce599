namespace Orchestrator.Core.Sync;

/// <summary>How many permits there are at a moment. Times are ticks of 100 ns and never go back.</summary>
internal abstract class PermitMeter
{
    /// <summary>How many permits can be taken now.</summary>
    public abstract long Available(long now);

    /// <summary>Takes permits that are available.</summary>
    public abstract void Take(long permits, long now);

    /// <summary>Permits that were taken then were not used.</summary>
    public abstract void GiveBack(long permits, long takenAt, long now);

    /// <summary>
    /// How many ticks until so many permits can have been taken, those of others first. Exact for what one call can take; no later
    /// than that for more.
    /// </summary>
    public abstract long TicksUntil(long permits, long now);

    public static PermitMeter For(RateLimiterSpec spec, long now) => spec.SlidingWindow
        ? new SlidingWindow(spec.Permits, spec.Period.Ticks)
        : new TokenBucket(spec.Permits, spec.Period.Ticks, spec.Burst, now);
}
