using Orchestrator.Core.Common;
using Prometheus;

namespace Orchestrator.Coordinator.Metrics;

/// <summary>One instrument in the registry, with a child for each combination of tags.</summary>
internal abstract class PrometheusFamily
{
    private readonly HashSet<string> _seen = [];
    private readonly Dictionary<string, string[]> _known = [];

    /// <summary>
    /// The bounds of histograms: powers of two of a tick of 100 ns, from 102.4 µs to 215 s. They are bounds of the engine's buckets, too:
    /// the counts are exact.
    /// </summary>
    public static double[] Bounds { get; } =
        [.. Enumerable.Range(10, 22).Select(power => TimeSpan.FromTicks(1L << power).TotalSeconds)];

    public static PrometheusFamily Create(MetricFactory make, Instrument instrument)
    {
        var name = PrometheusName.Of(instrument);
        return instrument.Kind switch
        {
            InstrumentKind.Counter => new Counters(make.CreateCounter(name, instrument.Description, Options(new CounterConfiguration()))),
            InstrumentKind.Gauge => new Gauges(make.CreateGauge(name, instrument.Description, Options(new GaugeConfiguration()))),
            _ => new Histograms(make.CreateHistogram(
                name, instrument.Description, Options(new HistogramConfiguration { Buckets = Bounds }))),
        };

        T Options<T>(T configuration)
            where T : MetricConfiguration
        {
            configuration.LabelNames = instrument.Tags;
            configuration.SuppressInitialValue = true;
            return configuration;
        }
    }

    /// <summary>The present value of a counter or a gauge.</summary>
    public void Set(string[] tags, double value)
    {
        See(tags);
        SetValue(tags, value);
    }

    /// <summary>The present buckets of a histogram.</summary>
    public void Set(string[] tags, long[] buckets)
    {
        See(tags);
        SetBuckets(tags, buckets);
    }

    /// <summary>Removes what was not set since the last call: workers that were scaled down, queues that were deleted.</summary>
    public void RemoveOthers()
    {
        foreach (var (key, tags) in _known.Where(item => !_seen.Contains(item.Key)).ToArray())
        {
            _known.Remove(key);
            Remove(tags);
        }

        _seen.Clear();
    }

    protected virtual void SetValue(string[] tags, double value) => throw new NotSupportedException();

    protected virtual void SetBuckets(string[] tags, long[] buckets) => throw new NotSupportedException();

    protected abstract void Remove(string[] tags);

    private void See(string[] tags)
    {
        var key = string.Join('\n', tags);
        _seen.Add(key);
        _known.TryAdd(key, tags);
    }

    private sealed class Counters(Counter counter) : PrometheusFamily
    {
        protected override void SetValue(string[] tags, double value)
        {
            // Another of the same name, such as a queue that was deleted and made again.
            if (counter.WithLabels(tags).Value > value)
                counter.RemoveLabelled(tags);
            counter.WithLabels(tags).IncTo(value);
        }

        protected override void Remove(string[] tags) => counter.RemoveLabelled(tags);
    }

    private sealed class Gauges(Gauge gauge) : PrometheusFamily
    {
        protected override void SetValue(string[] tags, double value) => gauge.WithLabels(tags).Set(value);

        protected override void Remove(string[] tags) => gauge.RemoveLabelled(tags);
    }

    private sealed class Histograms(Histogram histogram) : PrometheusFamily
    {
        private readonly Dictionary<string, long[]> _last = [];

        protected override void SetBuckets(string[] tags, long[] buckets)
        {
            var key = string.Join('\n', tags);
            var last = _last.GetValueOrDefault(key);
            if (last is not null && buckets.Zip(last).Any(pair => pair.First < pair.Second))
            {
                histogram.RemoveLabelled(tags);
                last = null;
            }

            var child = histogram.WithLabels(tags);
            if (last is null)
                child.Publish();
            for (var i = 0; i < buckets.Length; i++)
            {
                var more = buckets[i] - (last?[i] ?? 0);
                if (more > 0)
                    child.Observe(DurationHistogram.Middle(i) / TimeSpan.TicksPerSecond, more);
            }

            _last[key] = buckets;
        }

        protected override void Remove(string[] tags)
        {
            _last.Remove(string.Join('\n', tags));
            histogram.RemoveLabelled(tags);
        }
    }
}
