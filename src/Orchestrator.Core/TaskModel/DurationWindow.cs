using Orchestrator.Core.Common;

namespace Orchestrator.Core.TaskModel;

/// <summary>
/// The durations that a histogram has recorded since the oldest of a fixed number of samples. A sample in which nothing was recorded costs
/// no memory.
/// </summary>
/// <param name="source">The histogram.</param>
/// <param name="samples">How many samples the window spans.</param>
public sealed class DurationWindow(DurationHistogram source, int samples)
{
    // Each bucket's count at the last samples, modulo 2^32: exact as long as no bucket grows by more within the window. Null is zero.
    private readonly uint[]?[] _samples = new uint[]?[samples];
    private readonly long[] _counts = new long[samples];
    private int _next;
    private long[]? _buckets;

    /// <summary>How many durations were recorded in the window.</summary>
    public long Count => source.Count - _counts[_next];

    /// <summary>Takes a sample: the window begins at the second oldest from now on.</summary>
    public void Sample()
    {
        var last = (_next + samples - 1) % samples;
        _samples[_next] = source.Count == _counts[last] ? _samples[last] : Copy(source.Buckets);
        _counts[_next] = source.Count;
        _next = (_next + 1) % samples;
    }

    /// <summary>
    /// The duration in ticks of 100 ns below which <paramref name="quantile"/> (0…1) of the window's durations lie; null if there are none.
    /// </summary>
    public long? Quantile(double quantile)
    {
        if (Count == 0)
            return null;
        _buckets ??= new long[DurationHistogram.BucketCount];
        Array.Clear(_buckets);
        AddTo(_buckets);
        return DurationHistogram.Quantile(_buckets, Count, quantile);
    }

    /// <summary>The same over several windows.</summary>
    public static long? Quantile(IReadOnlyCollection<DurationWindow> windows, double quantile)
    {
        ArgumentNullException.ThrowIfNull(windows);
        var buckets = new long[DurationHistogram.BucketCount];
        foreach (var window in windows)
            window.AddTo(buckets);
        return DurationHistogram.Quantile(buckets, windows.Sum(window => window.Count), quantile);
    }

    private void AddTo(long[] buckets)
    {
        var now = source.Buckets;
        var then = _samples[_next];
        for (var i = 0; i < buckets.Length; i++)
            buckets[i] += unchecked((uint)now[i] - (then is null ? 0 : then[i]));
    }

    private static uint[] Copy(ReadOnlySpan<long> buckets)
    {
        var copy = new uint[buckets.Length];
        for (var i = 0; i < copy.Length; i++)
            copy[i] = unchecked((uint)buckets[i]);
        return copy;
    }
}
