using Orchestrator.Core.Objects;

namespace Orchestrator.Core.Sync;

/// <summary>What a rate limiter allows.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Permits">How many permits per <paramref name="Period"/>, at most <see cref="MaxPermits"/>.</param>
/// <param name="Period">More than zero, at most <see cref="MaxPeriod"/>.</param>
/// <param name="Burst">How many permits may be saved up; 0 means <paramref name="Permits"/>. A sliding window has no other burst than that.</param>
/// <param name="SlidingWindow">Counts every permit of the last period instead of refilling a bucket.</param>
public sealed record RateLimiterSpec(string Name, long Permits, TimeSpan Period, long Burst = 0, bool SlidingWindow = false)
{
    /// <summary>The most permits per period and in a burst: products of this and of times are exact.</summary>
    public const long MaxPermits = 1_000_000_000;

    /// <summary>The longest period.</summary>
    public static TimeSpan MaxPeriod { get; } = TimeSpan.FromDays(366);

    /// <summary>The most permits that one call can ever get.</summary>
    public long MaxPerCall => Burst == 0 ? Permits : Burst;
}

/// <summary>
/// Creates a rate limiter, which then lasts, or answers with the one that exists if it is the same. Errors: KIND_MISMATCH where it is another,
/// INVALID, LIMIT_EXCEEDED, SESSION_LOST.
/// </summary>
/// <param name="Spec">What it allows.</param>
public sealed record CreateRateLimiter(RateLimiterSpec Spec) : ObjectCommand
{
    internal override void ApplyTo(ObjectEngine engine) => engine.OnCreateRateLimiter(this);
}

/// <summary>The rate limiter is there.</summary>
/// <param name="Spec">What it allows, with its burst.</param>
public sealed record CreateRateLimiterOutcome(RateLimiterSpec Spec) : ObjectOutcome;

/// <summary>Deletes a rate limiter; who waits for its permits is told NOT_FOUND. Errors: NOT_FOUND, SESSION_LOST.</summary>
/// <param name="RateLimiter">Its name.</param>
public sealed record DeleteRateLimiter(string RateLimiter) : ObjectCommand
{
    internal override void ApplyTo(ObjectEngine engine) => engine.OnDeleteRateLimiter(this);
}

/// <summary>
/// Takes permits, all at once and in turn: who comes later waits, also for fewer. Given back, they count as never taken, as far as a bucket had room for them since. Errors: NOT_FOUND, INVALID
/// for more than one call can ever get, LIMIT_EXCEEDED, SESSION_LOST, CANCELLED.
/// </summary>
/// <param name="RateLimiter">Its name.</param>
/// <param name="Permits">How many; 0 means 1.</param>
public sealed record AcquirePermits(string RateLimiter, long Permits = 1) : WaitingCommand
{
    internal long Count => Permits == 0 ? 1 : Permits;

    internal override ObjectOutcome TimedOut => new AcquirePermitsOutcome(WaitStatus.Timeout, TimeSpan.Zero);

    internal override void ApplyTo(ObjectEngine engine) => engine.OnAcquirePermits(this);

    internal override void Undo(ObjectEngine engine, ObjectOutcome outcome) => engine.UndoAcquirePermits(this, (AcquirePermitsOutcome)outcome);
}

/// <summary>How an acquire ended.</summary>
/// <param name="Status">Ok or timeout.</param>
/// <param name="RetryAfter">After a timeout, how soon the permits can be there, behind all who wait now; otherwise zero.</param>
public sealed record AcquirePermitsOutcome(WaitStatus Status, TimeSpan RetryAfter) : ObjectOutcome
{
    internal PermitTicket Ticket { get; init; }
}
