namespace Orchestrator.Core.Common;

/// <summary>
/// Durations in buckets that grow by an eighth (HdrHistogram's idea with three significant bits): recording is a shift and an add,
/// a quantile is exact to 12.5 %.
/// </summary>
public sealed class DurationHistogram
{
    private const int SubBits = 3;
    private const int SubCount = 1 << SubBits;

    /// <summary>How many buckets there are.</summary>
    public const int BucketCount = (64 - SubBits) * SubCount;

    private readonly long[] _buckets = new long[BucketCount];

    /// <summary>How many durations were recorded.</summary>
    public long Count { get; private set; }

    /// <summary>
    /// The duration in ticks of 100 ns below which <paramref name="quantile"/> (0…1) of the recorded durations lie; null if there
    /// are none.
    /// </summary>
    public long? Quantile(double quantile) => Quantile(_buckets, Count, quantile);

    /// <summary>The same for the durations of any buckets, of which there are <paramref name="count"/>.</summary>
    internal static long? Quantile(ReadOnlySpan<long> buckets, long count, double quantile)
    {
        if (count == 0)
            return null;
        var rank = Math.Max(1, (long)Math.Ceiling(quantile * count));
        for (var i = 0; i < buckets.Length; i++)
        {
            rank -= buckets[i];
            if (rank <= 0)
                return UpperBound(i);
        }

        return UpperBound(buckets.Length - 1);
    }

    /// <summary>How many durations each bucket holds.</summary>
    public ReadOnlySpan<long> Buckets => _buckets;

    /// <summary>The middle of a bucket, in ticks of 100 ns.</summary>
    /// <param name="bucket">Its place in <see cref="Buckets"/>.</param>
    public static double Middle(int bucket) => (bucket == 0 ? 0 : UpperBound(bucket - 1) + 1 + UpperBound(bucket)) / 2.0;

    /// <summary>Records a duration.</summary>
    public void Record(TimeSpan duration) => Record(duration.Ticks);

    internal void Record(long ticks)
    {
        _buckets[IndexOf(Math.Max(0, ticks))]++;
        Count++;
    }

    private static int IndexOf(long ticks)
    {
        if (ticks < SubCount)
            return (int)ticks;
        var shift = 63 - System.Numerics.BitOperations.LeadingZeroCount((ulong)ticks) - SubBits;
        return ((shift + 1) << SubBits) + (int)((ticks >> shift) - SubCount);
    }

    private static long UpperBound(int index)
    {
        if (index < SubCount)
            return index;
        var shift = (index >> SubBits) - 1;
        return ((long)(SubCount + (index & (SubCount - 1)) + 1) << shift) - 1;
    }
}
