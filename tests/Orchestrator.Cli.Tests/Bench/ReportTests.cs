using Orchestrator.Cli.Bench.Compare;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Objects.Partner;

namespace Orchestrator.Cli.Tests.Bench;

/// <summary>What the benchmarks hand on: points of plots, and the latencies of a partner process.</summary>
public sealed class ReportTests
{
    [Fact]
    public void A_rate_of_zero_has_no_point_on_a_logarithmic_axis()
    {
        var series = ComparePlots.LogSeries("stream", "#000000", [1, 2, 3], [10, 0, 1000]);
        Assert.Equal([1, 3], series.X);
        Assert.Equal([1, 3], series.Y);
    }

    [Fact]
    public void A_partner_hands_over_its_latencies_as_text()
    {
        var latency = new LatencyRecorder();
        for (var i = 1; i <= 2_000; i++)
            latency.Record(0, i * 1_000);
        var back = PartnerReport.Parse(new PartnerReport(2_000, latency).ToString());
        Assert.Equal(2_000, back.Operations);
        Assert.Equal(latency.At(50)!.Value.TotalMicroseconds, back.Latency.At(50)!.Value.TotalMicroseconds,
            latency.At(50)!.Value.TotalMicroseconds * 0.002);
        Assert.Equal(latency.Count, back.Latency.Count);
        Assert.Throws<IOException>(() => PartnerReport.Parse("failed no such queue"));
    }
}
