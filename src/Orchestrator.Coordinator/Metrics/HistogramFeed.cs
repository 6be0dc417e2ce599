using System.Diagnostics.Metrics;
using Orchestrator.Core.Common;

namespace Orchestrator.Coordinator.Metrics;

/// <summary>
/// Passes on what the buckets of one histogram have gained, value by value, since a meter takes no counts. Above a limit, each value stands
/// for several; what that leaves over is passed on later.
/// </summary>
internal sealed class HistogramFeed(Histogram<double> histogram)
{
    private readonly Dictionary<string, Series> _series = [];

    /// <summary>How many values wait to be passed on.</summary>
    public long Pending { get; private set; }

    /// <summary>Takes the present buckets of one series.</summary>
    public void Add(string[] tags, long[] buckets)
    {
        var key = string.Join('\n', tags);
        if (!_series.TryGetValue(key, out var series))
            _series.Add(key, series = new Series(buckets.Length));
        series.Tags = tags;
        for (var i = 0; i < buckets.Length; i++)
        {
            // Less than before: another of the same name, which has begun anew.
            var gained = buckets[i] >= series.Last[i] ? buckets[i] - series.Last[i] : buckets[i];
            series.Pending[i] += gained;
            Pending += gained;
            series.Last[i] = buckets[i];
        }
    }

    /// <summary>Records one value for every <paramref name="divisor"/> that wait.</summary>
    public void Record(Instrument instrument, long divisor)
    {
        foreach (var series in _series.Values)
        {
            var tags = MeterPublisher.TagsOf(instrument, series.Tags);
            for (var i = 0; i < series.Pending.Length; i++)
            {
                var records = series.Pending[i] / divisor;
                series.Pending[i] -= records * divisor;
                Pending -= records * divisor;
                var seconds = DurationHistogram.Middle(i) / TimeSpan.TicksPerSecond;
                for (; records > 0; records--)
                    histogram.Record(seconds, tags);
            }
        }
    }

    private sealed class Series(int buckets)
    {
        public long[] Last { get; } = new long[buckets];

        public long[] Pending { get; } = new long[buckets];

        public string[] Tags { get; set; } = [];
    }
}
