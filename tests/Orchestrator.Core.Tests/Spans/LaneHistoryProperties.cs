using Orchestrator.Core.Spans;

namespace Orchestrator.Core.Tests.Spans;

public sealed class LaneHistoryProperties
{
    public static TheoryData<int> Seeds => new(Enumerable.Range(1, Iterations.Of(100)));

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_lane_s_shares_are_what_ran_in_each_bin(int seed)
    {
        var random = new Random(seed);
        var history = new LaneHistory();
        var track = new LaneTrack(7);
        var bin = LaneHistory.BinLength.Ticks;
        var expected = new Dictionary<(long Bin, ushort Handler), long>();
        var now = TimeSpan.TicksPerHour;
        for (var i = 0; i < 300; i++)
        {
            // Not more handlers than a bin keeps, one attempt after the other, some over many bins.
            now += random.NextInt64(1L << random.Next(1, 22));
            var ran = 1 + random.NextInt64(1L << random.Next(1, 26));
            var handler = (ushort)random.Next(1, LaneHistory.Handlers + 1);
            history.Record(track, handler, now, now + ran);
            for (var at = now; at < now + ran; at = ((at / bin) + 1) * bin)
            {
                var key = (at / bin, handler);
                expected[key] = expected.GetValueOrDefault(key) + Math.Min(now + ran, ((at / bin) + 1) * bin) - at;
            }

            now += ran;
            if (random.Next(40) == 0)
                history.Read(TimeSpan.Zero, TimeSpan.FromTicks(now));
        }

        var moments = history.Read(TimeSpan.Zero, TimeSpan.FromTicks(now + 1));
        Assert.Equal(moments.Select(moment => moment.Bin).Order(), moments.Select(moment => moment.Bin));
        Assert.All(moments, moment => Assert.Equal(7, moment.Lane));
        var found = moments.SelectMany(moment => moment.Shares.ToArray().Select(share => (moment.Bin, share))).ToDictionary(
            item => (item.Bin, item.share.Handler), item => (int)item.share.Hundredths);
        Assert.Equal(expected.Keys.Order(), found.Keys.Order());
        // Each write of a bin rounds down to hundredths, and up from nothing to one.
        foreach (var (key, ticks) in expected)
            Assert.InRange(found[key] - (ticks * 100 / bin), -12, 12);
    }

    [Fact]
    public void The_handlers_that_used_a_bin_most_are_kept()
    {
        var history = new LaneHistory();
        var track = new LaneTrack(1);
        var start = LaneHistory.BinLength.Ticks * 10;
        for (ushort handler = 1; handler <= 6; handler++)
            history.Record(track, handler, start, start + (handler * TimeSpan.TicksPerMillisecond));
        var moment = Assert.Single(history.Read(TimeSpan.Zero, TimeSpan.FromHours(1)));
        Assert.Equal([3, 4, 5, 6], moment.Shares.ToArray().Select(share => (int)share.Handler).Order());
    }

    [Fact]
    public void Fifteen_minutes_are_kept_and_idle_lanes_take_nothing()
    {
        var history = new LaneHistory();
        var (busy, idle) = (new LaneTrack(1), new LaneTrack(2));
        history.Record(idle, 1, 0, TimeSpan.TicksPerSecond);
        for (var minute = 0; minute < 40; minute++)
            history.Record(busy, 1, minute * TimeSpan.TicksPerMinute, (minute * TimeSpan.TicksPerMinute) + TimeSpan.TicksPerSecond);
        var moments = history.Read(TimeSpan.Zero, TimeSpan.FromHours(1));
        Assert.DoesNotContain(moments, moment => moment.Lane == 2);
        var minutes = moments.Select(moment => moment.Bin / 600).Distinct().ToArray();
        Assert.Equal(Enumerable.Range(24, 16).Select(minute => (long)minute), minutes);
    }

    [Fact]
    public void Many_lanes_take_bounded_memory()
    {
        var history = new LaneHistory();
        for (var lane = 1; lane <= 2_000; lane++)
            history.Record(new LaneTrack(lane), 1, lane, lane + TimeSpan.TicksPerSecond);
        var lanes = history.Read(TimeSpan.Zero, TimeSpan.FromHours(1)).Select(moment => moment.Lane).Distinct().ToArray();
        Assert.Equal(320, lanes.Length);
        Assert.Equal(2_000, lanes.Max());
    }
}
