using Orchestrator.Core.Spans;

namespace Orchestrator.Core.Tests.Spans;

public sealed class SpanLogProperties
{
    public static TheoryData<int> Seeds => new(Enumerable.Range(1, Iterations.Of(100)));

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Counts_and_run_times_add_up_whatever_is_folded(int seed)
    {
        var world = new RandomAttempts(seed);
        world.Log.Switch(true);
        var into = new AttemptSpan[SpanLog.Capacity];
        var position = 0L;
        var spans = new List<AttemptSpan>();
        for (var i = 0; i < 2_000; i++)
        {
            world.RecordOne();
            if (world.Random.Next(100) == 0)
                world.Log.FoldWidth = TimeSpan.FromMilliseconds(world.Random.Next(10));
            if (world.Random.Next(50) == 0)
                ReadAll();
        }

        ReadAll();
        Assert.Equal(2_000, world.Log.Attempts);
        Assert.Equal(2_000, spans.Sum(span => span.Count));
        foreach (var group in world.Recorded.GroupBy(attempt => (attempt.Lane, attempt.Handler, attempt.Outcome, attempt.IsRetried)))
        {
            var folded = spans.Where(span => (span.Lane, span.Handler, span.Outcome, span.IsRetried) == group.Key).ToArray();
            Assert.Equal(group.Count(), folded.Sum(span => span.Count));
            Assert.Equal(group.Sum(attempt => attempt.Busy), folded.Sum(span => span.Busy));
            Assert.Equal(group.Min(attempt => attempt.Start), folded.Min(span => span.Start));
            Assert.Equal(group.Max(attempt => attempt.End), folded.Max(span => span.End));
        }

        void ReadAll()
        {
            var count = world.Log.Read(ref position, into, out var missed);
            Assert.Equal(0, missed);
            spans.AddRange(into[..count]);
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_span_holds_no_long_attempt_beside_others_and_spans_no_long_gap(int seed)
    {
        var world = new RandomAttempts(seed);
        world.Log.Switch(true);
        var width = SpanLog.MinFoldWidth.Ticks;
        for (var i = 0; i < 1_000; i++)
            world.RecordOne();
        foreach (var span in world.Log.ReadPeriod(TimeSpan.MinValue, TimeSpan.MaxValue))
        {
            var within = world.Recorded.Where(attempt => (attempt.Lane, attempt.Handler, attempt.Outcome, attempt.IsRetried)
                == (span.Lane, span.Handler, span.Outcome, span.IsRetried) && attempt.Start >= span.Start && attempt.End <= span.End);
            if (span.Count == 1)
                continue;
            var reached = span.Start;
            foreach (var attempt in within.OrderBy(attempt => attempt.Start))
            {
                Assert.InRange(attempt.Start - reached, long.MinValue, width - 1);
                reached = Math.Max(reached, attempt.End);
            }

            // Were each as long as a fold may be, they would fill it with their gaps.
            Assert.InRange(span.Length, 0, span.Count * 2 * width);
        }
    }

    [Fact]
    public void A_reader_that_is_behind_learns_how_many_spans_it_has_missed()
    {
        var world = new RandomAttempts(1);
        world.Log.Switch(true);
        world.Log.FoldWidth = TimeSpan.Zero;
        for (var i = 0; i < SpanLog.Capacity + 100; i++)
            world.RecordOne();
        var (slow, quick) = (0L, world.Log.Head - 10);
        var into = new AttemptSpan[SpanLog.Capacity];
        Assert.Equal(SpanLog.Capacity, world.Log.Read(ref slow, into, out var missed));
        Assert.Equal(100, missed);
        Assert.Equal(world.Recorded[^1], into[^1]);
        // One with less room gets the newest.
        Assert.Equal(4, world.Log.Read(ref quick, into.AsSpan(0, 4), out missed));
        Assert.Equal(6, missed);
        Assert.Equal(world.Recorded[^1], into[3]);
        Assert.Equal(0, world.Log.Read(ref quick, into, out missed));
        Assert.Equal(0, missed);
    }

    [Fact]
    public void What_was_recorded_before_it_was_switched_off_is_kept()
    {
        var world = new RandomAttempts(2);
        world.Log.Switch(true);
        world.RecordOne();
        world.Log.Switch(false);
        Assert.False(world.Log.IsOn);
        Assert.Equal(1, world.Log.Head);
        var read = Assert.Single(world.Log.ReadPeriod(TimeSpan.Zero, TimeSpan.MaxValue));
        Assert.Equal(world.Recorded[0], read);
    }
}
