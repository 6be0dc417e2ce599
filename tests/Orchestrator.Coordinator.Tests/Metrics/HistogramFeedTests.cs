using System.Diagnostics.Metrics;
using CsCheck;
using Orchestrator.Coordinator.Metrics;
using Orchestrator.Core.Common;

namespace Orchestrator.Coordinator.Tests.Metrics;

public sealed class HistogramFeedTests
{
    /// <summary>
    /// Whatever a histogram gains between two collections: the recorded values, each counted as often as it stands for, and what waits are
    /// all there was, by bucket.
    /// </summary>
    [Fact]
    public void Nothing_is_counted_twice_or_lost() =>
        Gen.Select(Gen.Int[0, 40].Array[3].Array[1, 6], Gen.Int[0, 3].Select(power => 1L << power)).Sample((gains, divisor) =>
        {
            using var meter = new Meter("test");
            var feed = new HistogramFeed(meter.CreateHistogram<double>("h"));
            var recorded = new Dictionary<double, long>();
            using var listener = new MeterListener();
            listener.InstrumentPublished = (instrument, self) =>
            {
                if (ReferenceEquals(instrument.Meter, meter))
                    self.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<double>(
                (_, value, _, _) => recorded[value] = recorded.GetValueOrDefault(value) + divisor);
            listener.Start();
            var buckets = new long[3];
            foreach (var gain in gains)
            {
                buckets = [.. buckets.Zip(gain, (sum, more) => sum + more)];
                feed.Add(["echo"], buckets);
                feed.Record(Instruments.TaskDuration, divisor);
            }

            Assert.InRange(feed.Pending, 0, 3 * (divisor - 1));
            Assert.Equal(buckets.Sum(), recorded.Values.Sum() + feed.Pending);
            for (var i = 0; i < buckets.Length; i++)
            {
                var of = recorded.GetValueOrDefault(DurationHistogram.Middle(i) / TimeSpan.TicksPerSecond);
                Assert.InRange(buckets[i] - of, 0, divisor - 1);
            }
        }, iter: 500, threads: 1);

    [Fact]
    public void One_that_begins_anew_is_another()
    {
        using var meter = new Meter("test");
        var feed = new HistogramFeed(meter.CreateHistogram<double>("h"));
        feed.Add(["queue"], [5, 0]);
        feed.Add(["queue"], [2, 1]);
        Assert.Equal(8, feed.Pending);
    }
}
