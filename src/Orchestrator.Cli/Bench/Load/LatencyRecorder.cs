using System.Diagnostics;
using System.Globalization;
using HdrHistogram;

namespace Orchestrator.Cli.Bench.Load;

/// <summary>
/// Latencies in nanoseconds, three significant digits. Not thread-safe: each thread has its own, and they
/// are added up afterwards.
/// </summary>
internal sealed class LatencyRecorder
{
    // Ten minutes; longer times are recorded as that.
    private const long Highest = 600_000_000_000;

    private static readonly double NanosecondsPerTick = 1e9 / Stopwatch.Frequency;

    private readonly LongHistogram _histogram = new(Highest, 3);

    public long Count => _histogram.TotalCount;

    public TimeSpan Max => TimeSpan.FromMicroseconds(_histogram.GetMaxValue() / 1e3);

    public TimeSpan Mean => Count == 0 ? TimeSpan.Zero : TimeSpan.FromMicroseconds(_histogram.GetMean() / 1e3);

    /// <summary>Records the time from a <see cref="Stopwatch"/> stamp to another.</summary>
    public void Record(long from, long to) =>
        _histogram.RecordValue(Math.Clamp((long)((to - from) * NanosecondsPerTick), 1, Highest));

    /// <summary>Records the same time for several operations.</summary>
    public void Record(long from, long to, long count) =>
        _histogram.RecordValueWithCount(Math.Clamp((long)((to - from) * NanosecondsPerTick), 1, Highest), count);

    /// <summary>The records as text, for another process: <c>nanoseconds:count</c>, separated by blanks.</summary>
    public string ToText() => string.Join(' ', _histogram.RecordedValues().Select(
        value => FormattableString.Invariant($"{value.ValueIteratedTo}:{value.CountAtValueIteratedTo}")));

    /// <summary>Adds the records that another process wrote with <see cref="ToText"/>.</summary>
    public void AddText(string text)
    {
        foreach (var pair in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = pair.IndexOf(':', StringComparison.Ordinal);
            _histogram.RecordValueWithCount(
                Math.Clamp(long.Parse(pair.AsSpan(0, colon), CultureInfo.InvariantCulture), 1, Highest),
                long.Parse(pair.AsSpan(colon + 1), CultureInfo.InvariantCulture));
        }
    }

    public void Add(LatencyRecorder other) => _histogram.Add(other._histogram);

    /// <summary>The number of samples that a percentile needs: at least ten beyond it, for it to be significant.</summary>
    public static long SamplesNeeded(double percentile) => (long)Math.Ceiling(10 / (1 - (percentile / 100)) - 1e-6);

    /// <summary>The percentile, or null if there are too few samples for it.</summary>
    public TimeSpan? At(double percentile) => Count < SamplesNeeded(percentile)
        ? null
        : TimeSpan.FromMicroseconds(_histogram.GetValueAtPercentile(percentile) / 1e3);
}
