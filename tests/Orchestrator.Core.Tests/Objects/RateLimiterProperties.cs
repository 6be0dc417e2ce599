using CsCheck;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.RateLimiters;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Rate limiters against <see cref="RateLimiterModel"/>: permits as early as promised, in order, and never too many.</summary>
public sealed class RateLimiterProperties
{
    private static readonly Gen<RateLimiterSpec> Specs =
        Gen.Select(Gen.Long[1, 6], Gen.Long[1, 20], Gen.Long[1, 8], Gen.Bool, (permits, period, burst, sliding) =>
            new RateLimiterSpec("r", permits, TimeSpan.FromTicks(period), sliding ? permits : burst, sliding));

    [Fact]
    public void Rate_limiters_behave_as_the_model() =>
        Gen.Select(Specs, SyncRun.Steps).Sample(
            (spec, steps) => new Run(spec, givesBack: spec.SlidingWindow).Play(steps), iter: Iterations.Of(1_000), threads: 2);

    [Fact]
    public void Permits_given_back_are_never_too_many()
    {
        // A bucket that was full in the meantime cannot account for permits returned later: it may grant less than the model, never more.
        Gen.Select(Specs, Gen.Select(Gen.Int[0, 9], Gen.Long[1, 8], Gen.Int[0, 100]).Array[1, 200]).Sample(
            (spec, steps) =>
            {
                var meter = PermitMeter.For(spec, 0);
                var kept = new List<(long At, long Permits, PermitTicket Ticket)>();
                var now = 0L;
                foreach (var (op, some, which) in steps)
                {
                    var permits = Math.Min(some, spec.MaxPerCall);
                    if (op < 4)
                    {
                        now += op;
                    }
                    else if (op < 8 && permits <= meter.Available(now))
                    {
                        kept.Add((now, permits, meter.Take(permits, now)));
                    }
                    else if (kept.Count > 0)
                    {
                        var back = kept[which % kept.Count];
                        kept.Remove(back);
                        meter.GiveBack(back.Permits, back.Ticket, now);
                    }
                }

                Check(spec, [.. kept.Select(take => (take.At, take.Permits))]);
            },
            iter: Iterations.Of(4_000),
            threads: 2);
    }

    [Fact]
    public void A_large_window_counts_in_slots_never_too_few_and_in_bounded_memory()
    {
        Gen.Select(Gen.Long[1_025, 4_000], Gen.Long[1, 20_000], Gen.Select(Gen.Long[0, 40], Gen.Long[1, 60]).Array[1, 2_000]).Sample(
            (permits, period, steps) =>
            {
                var window = new SlidingWindow(permits, period);
                var taken = new List<(long At, long Permits)>();
                var now = 0L;
                foreach (var (pause, some) in steps)
                {
                    now += pause;
                    var wait = window.TicksUntil(some, now);
                    Assert.Equal(wait == 0, window.Available(now) >= some);
                    if (wait > 0)
                    {
                        // Late by less than two slots.
                        var exact = taken.Where(take => take.At > now - period).Sum(take => take.Permits) + some > permits;
                        Assert.True(exact || wait <= 2 * ((period / 1_024) + 1));
                        Assert.True(window.TicksUntil(some, now + wait) == 0);
                        now += wait;
                    }

                    window.Take(some, now);
                    taken.Add((now, some));
                    Assert.InRange(window.Slots, 1, 1_026);
                }

                Check(new RateLimiterSpec("r", permits, TimeSpan.FromTicks(period), permits, true), taken);
            },
            iter: Iterations.Of(100),
            threads: 2);
    }

    private static void Check(RateLimiterSpec spec, List<(long At, long Permits)> taken)
    {
        var model = new RateLimiterModel(spec);
        for (var i = 0; i < taken.Count; i++)
            model.Note(i, taken[i].Permits, taken[i].At);
        model.CheckEverySpan();
    }

    private sealed class Run : SyncRun
    {
        private readonly RateLimiterSpec _spec;
        private readonly RateLimiterModel _model;
        private readonly bool _givesBack;

        public Run(RateLimiterSpec spec, bool givesBack)
            : this(spec, new RateLimiterModel(spec), givesBack)
        {
        }

        private Run(RateLimiterSpec spec, RateLimiterModel model, bool givesBack)
            : base(model)
        {
            (_spec, _model, _givesBack) = (spec, model, givesBack);
            Harness.Apply(new CreateRateLimiter(spec));
        }

        protected override TimeSpan Unit => TimeSpan.FromTicks(1);

        protected override bool GivesBack => _givesBack;

        protected override ObjectCommand Make(int a, int b)
        {
            var timeout = (a % 8) switch { 0 or 3 => TimeSpan.Zero, 1 or 2 => TimeSpan.FromTicks(1 + (b % 20)), _ => (TimeSpan?)null };
            return new AcquirePermits("r", 1 + (b % _spec.MaxPerCall)) { Timeout = timeout };
        }

        protected override string Show(int request, ObjectOutcome outcome)
        {
            var acquired = (AcquirePermitsOutcome)outcome;
            return acquired.Status == WaitStatus.Timeout && _model.Exact.Contains(request)
                ? $"Timeout {acquired.RetryAfter.Ticks}" : $"{acquired.Status}";
        }

        protected override void Finished() => _model.CheckEverySpan();
    }
}
