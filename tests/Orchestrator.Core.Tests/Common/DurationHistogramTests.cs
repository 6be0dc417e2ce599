using CsCheck;
using Orchestrator.Core.Common;

namespace Orchestrator.Core.Tests.Common;

/// <summary>Quantiles are exact to 12.5 %, over all of a long's range.</summary>
public sealed class DurationHistogramTests
{
    [Fact]
    public void Quantiles_err_by_at_most_an_eighth_and_never_below() =>
        Gen.Select(Gen.Select(Gen.Int[0, 62], Gen.Long[0, long.MaxValue]).Select(
            (bits, value) => value & ((1L << bits) - 1)).Array[1, 300], Gen.Double[0, 1])
            .Sample(
                (durations, quantile) =>
                {
                    var histogram = new DurationHistogram();
                    foreach (var duration in durations)
                        histogram.Record(duration);
                    var sorted = durations.Order().ToArray();
                    var exact = sorted[Math.Max(1, (int)Math.Ceiling(quantile * sorted.Length)) - 1];
                    var estimate = histogram.Quantile(quantile)!.Value;
                    Assert.InRange(estimate, exact, exact + (exact / 8));
                    Assert.Equal(durations.Length, histogram.Count);
                },
                iter: Iterations.Of(2_000),
                threads: 2);

    [Fact]
    public void Without_durations_there_is_no_quantile() => Assert.Null(new DurationHistogram().Quantile(0.5));

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(long.MaxValue)]
    public void The_ends_of_the_range_are_kept(long ticks)
    {
        var histogram = new DurationHistogram();
        histogram.Record(ticks);
        Assert.Equal(ticks, histogram.Quantile(0.99));
    }

    [Fact]
    public void A_negative_duration_counts_as_none()
    {
        var histogram = new DurationHistogram();
        histogram.Record(-5);
        Assert.Equal(0, histogram.Quantile(1));
    }
}
