using System.Diagnostics;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>
/// The figures of the last 15 minutes, one per second, each series in a ring of its own: a fixed amount of memory, whatever happens.
/// Thread-safe.
/// </summary>
/// <remarks>
/// A sample is taken about once a second, and its time is kept, so that a sample that comes late, or not at all while the process is
/// stopped, makes a gap and does not shift the others.
/// </remarks>
internal sealed class SeriesStore
{
    /// <summary>How many samples are kept.</summary>
    public const int Capacity = 900;

    // 3.6 KB each: 4 MB.
    private const int MaxSeries = 1_100;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Ring> _rings = new(StringComparer.Ordinal);
    private readonly long[] _times = new long[Capacity];
    private long _samples;

    /// <summary>Begins the next sample: values that follow belong to it.</summary>
    /// <param name="now">The time, which must not be before the last.</param>
    public void Begin(TimeSpan now)
    {
        lock (_gate)
        {
            _times[_samples++ % Capacity] = now.Ticks;
            // Once a minute is often enough for what has not been used for 15.
            if (_samples % 60 == 0)
                DropUnusedLocked();
        }
    }

    /// <summary>Adds a value to the sample; beyond the maximum of series a new one is left out.</summary>
    public void Add(string name, string unit, double value)
    {
        lock (_gate)
        {
            Debug.Assert(_samples > 0);
            if (!_rings.TryGetValue(name, out var ring))
            {
                if (_rings.Count == MaxSeries)
                    return;
                _rings.Add(name, ring = new Ring(unit, _samples));
            }

            ring.Write(_samples - 1, (float)value);
        }
    }

    /// <summary>
    /// The first instant from a time on that lies half a second after a sample, or would if there were one: from there on, each second
    /// holds one sample, although samples come a little early or late.
    /// </summary>
    public TimeSpan Align(TimeSpan time)
    {
        lock (_gate)
        {
            var newest = _samples == 0 ? 0 : _times[(_samples - 1) % Capacity];
            var phase = (newest + (TimeSpan.TicksPerSecond / 2) - time.Ticks) % TimeSpan.TicksPerSecond;
            return time + TimeSpan.FromTicks(phase < 0 ? phase + TimeSpan.TicksPerSecond : phase);
        }
    }

    /// <summary>The value of a series in the newest sample; 0 without one.</summary>
    public double Latest(string name)
    {
        lock (_gate)
            return _rings.TryGetValue(name, out var ring) && ring.Read(_samples - 1) is var value && !double.IsNaN(value) ? value : 0;
    }

    /// <summary>The values of the newest sample, by series.</summary>
    public IReadOnlyList<(string Name, float Value)> Newest(Func<string, bool> wanted)
    {
        lock (_gate)
            return [.. _rings.Where(item => wanted(item.Key)).Select(item => (item.Key, item.Value.Read(_samples - 1)))];
    }

    /// <summary>
    /// The values of series at regular instants: each is the last value within a step before its instant, and not a number where there is
    /// none.
    /// </summary>
    /// <param name="from">The first instant.</param>
    /// <param name="step">From each instant to the next.</param>
    /// <param name="count">How many instants.</param>
    /// <param name="wanted">Which series, by name.</param>
    public IReadOnlyList<(string Name, string Unit, float[] Values)> Read(
        TimeSpan from, TimeSpan step, int count, Func<string, bool> wanted)
    {
        lock (_gate)
        {
            var samples = new long[count];
            for (var i = 0; i < count; i++)
                samples[i] = FindLocked(from.Ticks + (i * step.Ticks), step.Ticks);
            return
            [
                .. _rings.Where(item => wanted(item.Key)).OrderBy(item => item.Key, StringComparer.Ordinal).Select(
                    item => (item.Key, item.Value.Unit, Array.ConvertAll(samples, item.Value.Read))),
            ];
        }
    }

    /// <summary>The newest sample at or before an instant, but not further back; -1 if there is none.</summary>
    private long FindLocked(long instant, long reach)
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        var (low, high) = (Math.Max(0, _samples - Capacity), _samples - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (_times[middle % Capacity] <= instant)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return high >= Math.Max(0, _samples - Capacity) && _times[high % Capacity] > instant - reach ? high : -1;
    }

    private void DropUnusedLocked()
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        foreach (var name in _rings.Where(item => item.Value.Last < _samples - Capacity).Select(item => item.Key).ToArray())
            _rings.Remove(name);
    }

    private sealed class Ring(string unit, long first)
    {
        private readonly float[] _values = new float[Capacity];
        private readonly long _first = first - 1;

        public string Unit => unit;

        public long Last { get; private set; } = first - 1;

        public void Write(long sample, float value)
        {
            for (var gap = Math.Max(Last + 1, sample - Capacity + 1); gap < sample; gap++)
                _values[gap % Capacity] = float.NaN;
            _values[sample % Capacity] = value;
            Last = sample;
        }

        public float Read(long sample) => sample < _first || sample > Last || sample <= Last - Capacity
            ? float.NaN : _values[sample % Capacity];
    }
}
