using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.RateLimiters;

/// <summary>Permits that arrive with time, and one queue for them. Time serves the waits, so a wait has no blockers.</summary>
internal sealed class RateLimiterState(RateLimiterSpec spec, long now) : NamedObject(ObjectKind.RateLimiter, spec.Name)
{
    private ReevaluationTimer? _timer;

    public RateLimiterSpec Spec => spec;

    public PermitMeter Meter { get; } = PermitMeter.For(spec, now);

    public override WaiterQueue Waiters { get; } = new();

    public ref ReevaluationTimer? Timer => ref _timer;

    public override bool HasWaiters => Waiters.Count > 0;

    public bool CanTake(long permits, long now) => !HasWaiters && permits <= Meter.Available(now);

    public Wait? NextToServe(long now) => Waiters.First is { } first && Permits(first) <= Meter.Available(now) ? first : null;

    /// <summary>How long until the first waiter can be served; null without waiters.</summary>
    public TimeSpan? UntilNext(long now) => Waiters.First is { } first ? TimeSpan.FromTicks(Meter.TicksUntil(Permits(first), now)) : null;

    /// <summary>How many permits the waiters have requested: kept, so that a try behind a long queue need not walk along it.</summary>
    public long Wanted { get; set; }

    /// <summary>How soon permits can be available behind all waiters. At least a tick: a waiter ahead may be about to be served.</summary>
    public TimeSpan RetryAfter(long permits, long now) => TimeSpan.FromTicks(Math.Max(1, Meter.TicksUntil(Wanted + permits, now)));

    public override string Describe()
    {
        var kind = spec.SlidingWindow ? "sliding window" : $"token bucket of {spec.Burst}";
        return $"{spec.Permits} permits per {spec.Period.TotalSeconds} s, {kind}, {Waiters.Count} waiting";
    }

    private static long Permits(Wait wait) => ((AcquirePermits)wait.Command).Count;
}
