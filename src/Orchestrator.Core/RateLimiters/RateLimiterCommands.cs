using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.RateLimiters;

/// <summary>The settings of a rate limiter.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Permits">How many permits per <paramref name="Period"/>, at most <see cref="MaxPermits"/>.</param>
/// <param name="Period">More than zero, at most <see cref="MaxPeriod"/>.</param>
/// <param name="Burst">How many permits may accumulate; 0 means <paramref name="Permits"/>. A sliding window has no other burst.</param>
/// <param name="SlidingWindow">Counts every permit of the last period instead of refilling a bucket.</param>
public sealed record RateLimiterSpec(string Name, long Permits, TimeSpan Period, long Burst = 0, bool SlidingWindow = false)
{
    /// <summary>The most permits per period and in a burst: below this, products of permits and times are exact.</summary>
    public const long MaxPermits = 1_000_000_000;

    /// <summary>The longest period.</summary>
    public static TimeSpan MaxPeriod { get; } = TimeSpan.FromDays(366);

    /// <summary>The most permits that one call can ever get.</summary>
    public long MaxPerCall => Burst == 0 ? Permits : Burst;
}

/// <summary>
/// Creates a permanent rate limiter, or answers with the existing one if it is equal. Errors: KIND_MISMATCH if it differs, INVALID,
/// LIMIT_EXCEEDED, SESSION_LOST.
/// </summary>
/// <param name="Spec">Its settings.</param>
public sealed record CreateRateLimiter(RateLimiterSpec Spec) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.RateLimiter;
}

/// <summary>The rate limiter exists.</summary>
/// <param name="Spec">Its settings, with its burst.</param>
public sealed record CreateRateLimiterOutcome(RateLimiterSpec Spec) : ObjectOutcome;

/// <summary>Deletes a rate limiter; its waiters get NOT_FOUND. Errors: NOT_FOUND, SESSION_LOST.</summary>
/// <param name="RateLimiter">Its name.</param>
public sealed record DeleteRateLimiter(string RateLimiter) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.RateLimiter;
}

/// <summary>
/// Takes permits, all at once and in turn: a later command waits, even for fewer permits. Undone, they count as never taken, as far as a
/// bucket has had room for them since. Errors: NOT_FOUND, INVALID for more than one call can ever get, LIMIT_EXCEEDED, SESSION_LOST,
/// CANCELLED.
/// </summary>
/// <param name="RateLimiter">Its name.</param>
/// <param name="Permits">How many; 0 means 1.</param>
public sealed record AcquirePermits(string RateLimiter, long Permits = 1) : WaitingCommand
{
    internal long Count => Permits == 0 ? 1 : Permits;

    internal override ObjectOutcome TimedOut => new AcquirePermitsOutcome(WaitStatus.Timeout, TimeSpan.Zero);

    internal override ObjectKind Primitive => ObjectKind.RateLimiter;
}

/// <summary>How an acquire ended.</summary>
/// <param name="Status">Ok or timeout.</param>
/// <param name="RetryAfter">After a timeout, how soon the permits can be available, behind all current waiters; otherwise zero.</param>
public sealed record AcquirePermitsOutcome(WaitStatus Status, TimeSpan RetryAfter) : ObjectOutcome
{
    /// <inheritdoc/>
    public override bool IsSuccess => Status == WaitStatus.Ok;

    internal PermitTicket Ticket { get; init; }
}
