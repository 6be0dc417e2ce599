using Orchestrator.Core.Kernel;
using Orchestrator.Core.RateLimiters;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Each row of the semantics page on rate limiters.</summary>
public sealed class RateLimiterTests
{
    private readonly ObjectHarness _harness = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Permits_come_with_time_and_waiters_are_served_in_order(bool sliding)
    {
        Create(permits: 2, sliding: sliding);
        Assert.Equal(WaitStatus.Ok, Acquire(2).Get<AcquirePermitsOutcome>().Status);
        var two = Acquire(2);
        // A permit for one alone would be free earlier, but this request came later.
        var one = Acquire(1);
        Assert.Equal(_harness.Now + TimeSpan.FromSeconds(1), _harness.Engine.NextDeadline);
        _harness.Advance(TimeSpan.FromMilliseconds(999));
        Assert.False(two.HasOutcome || one.HasOutcome);
        _harness.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal([two], _harness.Completed);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([one], _harness.Completed);
        Assert.Null(_harness.Engine.NextDeadline);
    }

    [Fact]
    public void A_bucket_brings_its_permits_one_by_one_a_window_all_at_once()
    {
        Create(permits: 10, name: "bucket");
        Create(permits: 10, sliding: true, name: "window");
        Acquire(10, name: "bucket");
        Acquire(10, name: "window");
        _harness.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal(WaitStatus.Ok, Acquire(5, TimeSpan.Zero, "bucket").Get<AcquirePermitsOutcome>().Status);
        Assert.Equal(
            new AcquirePermitsOutcome(WaitStatus.Timeout, TimeSpan.FromMilliseconds(100)), Acquire(1, TimeSpan.Zero, "bucket").Outcome);
        Assert.Equal(
            new AcquirePermitsOutcome(WaitStatus.Timeout, TimeSpan.FromMilliseconds(500)), Acquire(1, TimeSpan.Zero, "window").Outcome);
    }

    [Fact]
    public void A_try_that_fails_says_when_to_come_back_and_then_the_permits_are_there()
    {
        Create(permits: 3, burst: 5);
        Acquire(5);
        var retry = Acquire(4, TimeSpan.Zero).Get<AcquirePermitsOutcome>().RetryAfter;
        Assert.Equal(13_333_334, retry.Ticks);
        _harness.Advance(retry - TimeSpan.FromTicks(1));
        Assert.Equal(TimeSpan.FromTicks(1), Acquire(4, TimeSpan.Zero).Get<AcquirePermitsOutcome>().RetryAfter);
        _harness.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(WaitStatus.Ok, Acquire(4, TimeSpan.Zero).Get<AcquirePermitsOutcome>().Status);
    }

    [Fact]
    public void A_try_behind_others_is_told_to_come_back_after_them_and_so_is_who_ran_out_of_time()
    {
        Create(permits: 1);
        Acquire(1);
        var waits = new[] { Acquire(1), Acquire(1, TimeSpan.FromMilliseconds(500)) };
        Assert.Equal(TimeSpan.FromSeconds(3), Acquire(1, TimeSpan.Zero).Get<AcquirePermitsOutcome>().RetryAfter);
        _harness.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal(new AcquirePermitsOutcome(WaitStatus.Timeout, TimeSpan.FromMilliseconds(1_500)), waits[1].Outcome);
        _harness.Abandon(waits[0]);
        Assert.Equal(TimeSpan.FromMilliseconds(500), Acquire(1, TimeSpan.Zero).Get<AcquirePermitsOutcome>().RetryAfter);
    }

    [Fact]
    public void What_comes_at_the_very_end_of_a_timeout_is_in_time()
    {
        Create(permits: 1);
        Acquire(1);
        var wait = Acquire(1, TimeSpan.FromSeconds(1));
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(WaitStatus.Ok, wait.Get<AcquirePermitsOutcome>().Status);
    }

    [Fact]
    public void Who_gives_up_or_dies_lets_those_behind_pass()
    {
        Create(permits: 3);
        Acquire(2);
        var session = _harness.Session();
        var large = Acquire(3);
        var dead = _harness.Apply(new AcquirePermits("api", 2) { Session = session });
        var small = Acquire(1);
        _harness.End(session);
        dead.Fails(ObjectErrorReason.SessionLost);
        Assert.False(small.HasOutcome);
        _harness.Abandon(large);
        Assert.Equal(WaitStatus.Ok, small.Get<AcquirePermitsOutcome>().Status);
        Assert.Null(_harness.Engine.NextDeadline);
    }

    [Fact]
    public void A_late_tick_serves_all_who_are_due()
    {
        Create(permits: 2, sliding: true);
        Acquire(2);
        var waits = new[] { Acquire(2), Acquire(1) };
        _harness.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal([waits[0]], _harness.Completed);
        Assert.Equal(_harness.Now + TimeSpan.FromSeconds(1), _harness.Engine.NextDeadline);
    }

    [Fact]
    public void A_newcomer_does_not_pass_those_who_are_due()
    {
        Create(permits: 1);
        Acquire(1);
        var due = Acquire(1);
        _harness.Now += TimeSpan.FromSeconds(5);
        Assert.Equal(WaitStatus.Timeout, Acquire(1, TimeSpan.Zero).Get<AcquirePermitsOutcome>().Status);
        Assert.False(due.HasOutcome);
        _harness.Advance(TimeSpan.Zero);
        Assert.True(due.HasOutcome);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Permits_that_could_not_be_delivered_count_as_never_taken(bool sliding)
    {
        Create(permits: 2, sliding: sliding);
        var lost = Acquire(2);
        var next = Acquire(1);
        _harness.Apply(new CompensateDelivery(lost.Delivery!.Value));
        Assert.Equal(WaitStatus.Ok, next.Get<AcquirePermitsOutcome>().Status);
        Assert.Equal(WaitStatus.Ok, Acquire(1, TimeSpan.Zero).Get<AcquirePermitsOutcome>().Status);
        Assert.Equal(WaitStatus.Timeout, Acquire(1, TimeSpan.Zero).Get<AcquirePermitsOutcome>().Status);
        // When the permits have refilled anyway, there is nothing to add.
        _harness.Advance(TimeSpan.FromSeconds(1));
        var old = Acquire(2);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Acquire(1);
        _harness.Apply(new CompensateDelivery(old.Delivery!.Value));
        Assert.Equal(WaitStatus.Ok, Acquire(1, TimeSpan.Zero).Get<AcquirePermitsOutcome>().Status);
        Assert.Equal(WaitStatus.Timeout, Acquire(1, TimeSpan.Zero).Get<AcquirePermitsOutcome>().Status);
    }

    [Fact]
    public void More_than_one_call_can_ever_get_is_an_error_that_names_the_most()
    {
        Create(permits: 10, burst: 4);
        Assert.Equal(
            "permits of 5 must be 1 to 4, the most that rate limiter \"api\" gives at once, or 0 for 1", Acquire(5)
                .Fails(ObjectErrorReason.Invalid).Message);
        Acquire(-1).Fails(ObjectErrorReason.Invalid);
        Assert.Equal(WaitStatus.Ok, Acquire(0).Get<AcquirePermitsOutcome>().Status);
        Create(permits: 10, sliding: true, name: "window");
        Assert.Contains("1 to 10", Acquire(11, name: "window").Fails(ObjectErrorReason.Invalid).Message, StringComparison.Ordinal);
        Acquire(1, name: "unknown").Fails(ObjectErrorReason.NotFound);
    }

    [Fact]
    public void The_same_again_answers_with_the_existing_one_and_another_is_a_mismatch()
    {
        var spec = Create(permits: 5).Get<CreateRateLimiterOutcome>().Spec;
        Assert.Equal(new RateLimiterSpec("api", 5, TimeSpan.FromSeconds(1), 5), spec);
        Acquire(5);
        Assert.Equal(spec, Create(permits: 5, burst: 5).Get<CreateRateLimiterOutcome>().Spec);
        Assert.Equal(WaitStatus.Timeout, Acquire(1, TimeSpan.Zero).Get<AcquirePermitsOutcome>().Status);
        var error = Create(permits: 6).Fails(ObjectErrorReason.KindMismatch);
        Assert.Equal("rate limiter \"api\" exists with other numbers: 5 permits per 1 s, token bucket of 5, 0 waiting", error.Message);
        Create(permits: 5, burst: 6).Fails(ObjectErrorReason.KindMismatch);
        Create(permits: 5, sliding: true).Fails(ObjectErrorReason.KindMismatch);
    }

    [Theory]
    [InlineData("a b", 1, 1, 0, false, "spec.name")]
    [InlineData("a", 0, 1, 0, false, "spec.permits")]
    [InlineData("a", 1_000_000_001, 1, 0, false, "spec.permits")]
    [InlineData("a", 1, 0, 0, false, "spec.period")]
    [InlineData("a", 1, -1, 0, false, "spec.period")]
    [InlineData("a", 1, 367L * 864_000_000_000, 0, false, "spec.period")]
    [InlineData("a", 1, 1, -1, false, "spec.burst")]
    [InlineData("a", 3, 1, 2, true, "spec.burst")]
    public void Bad_numbers_are_named(string name, long permits, long period, long burst, bool sliding, string field) => Assert.Equal(
        field, _harness.Apply(new CreateRateLimiter(new RateLimiterSpec(name, permits, TimeSpan.FromTicks(period), burst, sliding)))
            .Fails(ObjectErrorReason.Invalid).Field);

    [Fact]
    public void A_bucket_asked_at_every_tick_does_not_drift()
    {
        // Three permits in ten ticks: no tick yields a whole number of permits.
        var bucket = new TokenBucket(3, 10, 2, now: 0);
        bucket.Take(2, 0);
        var taken = 0;
        for (var now = 1; now <= 100_000; now++)
        {
            if (bucket.Available(now) < 1)
                continue;
            bucket.Take(1, now);
            taken++;
        }

        Assert.Equal(30_000, taken);
    }

    [Fact]
    public void The_largest_numbers_neither_overflow_nor_lose_a_tick()
    {
        var period = RateLimiterSpec.MaxPeriod.Ticks;
        var bucket = new TokenBucket(1, period, RateLimiterSpec.MaxPermits, now: 0);
        bucket.Take(RateLimiterSpec.MaxPermits, 0);
        Assert.Equal(period, bucket.TicksUntil(1, 0));
        Assert.Equal(long.MaxValue, bucket.TicksUntil(RateLimiterSpec.MaxPermits, 0));
        Assert.Equal((0, 1), (bucket.Available(period - 1), bucket.Available(period)));
        Assert.Equal(1, new TokenBucket(RateLimiterSpec.MaxPermits, 1, 1, 0).Available(long.MaxValue));
    }

    private Call Create(long permits, long burst = 0, bool sliding = false, string name = "api") =>
        _harness.Apply(new CreateRateLimiter(new RateLimiterSpec(name, permits, TimeSpan.FromSeconds(1), burst, sliding)));

    private Call Acquire(long permits, TimeSpan? timeout = null, string name = "api") =>
        _harness.Apply(new AcquirePermits(name, permits) { Timeout = timeout });
}
