using System.Diagnostics.Metrics;
using System.Numerics;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;
using MeterInstrument = System.Diagnostics.Metrics.Instrument;

namespace Orchestrator.Coordinator.Metrics;

/// <summary>
/// The <see cref="Instruments"/> as a meter of this process, for OpenTelemetry and other listeners: counters and gauges are read when a
/// listener asks, histograms are passed on once a second while one listens.
/// </summary>
internal sealed class MeterPublisher : IMeasurements, IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Orchestrator.Coordinator";

    /// <summary>The gauge of how many observations one recorded value of the histograms stands for at present.</summary>
    public const string DivisorName = "orchestrator.histogram.divisor";

    // A value costs about 0.1 µs to record: at most this many a second, of all histograms together.
    private const int MaxRecords = 20_000;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    // One collection asks every instrument, within moments.
    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly Meter _meter = new(MeterName);
    private readonly IMeasurementSource[] _sources;
    private readonly MonotonicClock _clock;
    private readonly PeriodicCheck _check;
    private readonly Dictionary<Instrument, List<Measurement<double>>> _values = [];
    private readonly Dictionary<Instrument, HistogramFeed> _feeds = [];
    private readonly List<MeterInstrument> _histograms = [];
    private TimeSpan? _readAt;
    private long _divisor = 1;

    public MeterPublisher(IEnumerable<IMeasurementSource> sources, MonotonicClock clock, ILogger<MeterPublisher> logger)
    {
        _sources = [.. sources];
        _clock = clock;
        foreach (var instrument in Instruments.All)
            Publish(instrument);
        _meter.CreateObservableGauge(
            DivisorName, () => Volatile.Read(ref _divisor), "1", "How many observations one recorded value of the histograms stands for");
        _check = new PeriodicCheck(clock.Provider, Period, Feed, logger);
    }

    /// <summary>The tags of a value.</summary>
    public static KeyValuePair<string, object?>[] TagsOf(Instrument instrument, string[] values) =>
        [.. instrument.Tags.Zip(values, (name, value) => KeyValuePair.Create(name, (object?)value))];

    public void Add(Instrument instrument, double value, params string[] tags) =>
        _values[instrument].Add(new Measurement<double>(value, TagsOf(instrument, tags)));

    public void Add(Instrument instrument, long[] buckets, params string[] tags) => _feeds[instrument].Add(tags, buckets);

    public void Dispose()
    {
        _check.Dispose();
        _meter.Dispose();
    }

    /// <summary>Passes on what the histograms have gained.</summary>
    internal void Feed()
    {
        if (!_histograms.Exists(histogram => histogram.Enabled))
            return;
        lock (_gate)
        {
            ReadLocked();
            var pending = _feeds.Values.Sum(feed => feed.Pending);
            // 1 as long as they are not too many.
            var divisor = (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(1, (pending + MaxRecords - 1) / MaxRecords));
            Volatile.Write(ref _divisor, divisor);
            foreach (var (instrument, feed) in _feeds)
                feed.Record(instrument, divisor);
        }
    }

    private void Publish(Instrument instrument)
    {
        var (name, unit, description) = (instrument.Name, instrument.Unit, instrument.Description);
        if (instrument.Kind == InstrumentKind.Histogram)
        {
            var advice = new InstrumentAdvice<double> { HistogramBucketBoundaries = PrometheusFamily.Bounds };
            var histogram = _meter.CreateHistogram(name, unit, description, null, advice);
            _feeds.Add(instrument, new HistogramFeed(histogram));
            _histograms.Add(histogram);
            return;
        }

        _values.Add(instrument, []);
        if (instrument.Kind == InstrumentKind.Counter)
            _meter.CreateObservableCounter(name, () => ValuesOf(instrument), unit, description);
        else
            _meter.CreateObservableGauge(name, () => ValuesOf(instrument), unit, description);
    }

    private Measurement<double>[] ValuesOf(Instrument instrument)
    {
        lock (_gate)
        {
            if (_readAt is not { } at || _clock.Now - at >= Fresh)
                ReadLocked();
            return [.. _values[instrument]];
        }
    }

    private void ReadLocked()
    {
        System.Diagnostics.Debug.Assert(_gate.IsHeldByCurrentThread);
        foreach (var values in _values.Values)
            values.Clear();
        foreach (var source in _sources)
            source.Write(this);
        _readAt = _clock.Now;
    }
}
