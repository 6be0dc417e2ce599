using System.Text.RegularExpressions;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Metrics;
using Orchestrator.TestKit;

namespace Orchestrator.Coordinator.Tests.Metrics;

/// <summary>The table of instruments follows the rules of OpenTelemetry and of Prometheus, and the documentation has all of it.</summary>
public sealed partial class InstrumentsTests
{
    public static TheoryData<string> Names => [.. Instruments.All.Select(instrument => instrument.Name)];

    [Fact]
    public void Each_has_a_name_of_its_own()
    {
        Assert.NotEmpty(Instruments.All);
        Assert.Equal(Instruments.All.Count, Instruments.All.Select(PrometheusName.Of).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void It_is_named_by_the_rules_and_documented(string name)
    {
        var instrument = Instruments.All.Single(item => item.Name == name);
        Assert.Matches(OpenTelemetryName(), name);
        Assert.Matches(UnitForm(), instrument.Unit);
        Assert.All(instrument.Tags, tag => Assert.Matches(TagForm(), tag));
        if (instrument.Kind == InstrumentKind.Histogram)
            Assert.Equal("s", instrument.Unit);
        // As Prometheus's own check demands: only counters end in _total.
        Assert.Equal(instrument.Kind == InstrumentKind.Counter, PrometheusName.Of(instrument).EndsWith("_total", StringComparison.Ordinal));
        // These belong to histograms.
        Assert.DoesNotMatch("_(count|sum|bucket)$", PrometheusName.Of(instrument));
        var row = $"| `{PrometheusName.Of(instrument)}` | {string.Join(", ", instrument.Tags)} | {instrument.Description} |";
        Assert.Contains(row, File.ReadAllLines(Repository.PathOf("docs", "metrics.md")));
    }

    [Fact]
    public void A_deleted_queue_of_the_same_name_and_a_removed_worker_leave_no_old_value()
    {
        var source = new Source();
        var collector = new PrometheusCollector([source]);
        source.Counts["jobs"] = 7;
        source.Counts["mail"] = 1;
        source.Buckets["tasks"] = [0, 2];
        var first = Read(collector);
        Assert.Contains("""orchestrator_queue_put_total{queue="jobs"} 7""", first);
        Assert.Contains("""orchestrator_engine_lock_wait_duration_seconds_count{engine="tasks"} 2""", first);
        source.Counts.Remove("mail");
        source.Counts["jobs"] = 3;
        source.Buckets["tasks"] = [1, 0];
        var second = Read(collector);
        Assert.Contains("""orchestrator_queue_put_total{queue="jobs"} 3""", second);
        Assert.DoesNotContain("mail", second);
        Assert.Contains("""orchestrator_engine_lock_wait_duration_seconds_count{engine="tasks"} 1""", second);
    }

    /// <summary>Every bound of a histogram is a bound of the engine's buckets, so no bucket counts for two.</summary>
    [Fact]
    public void The_counts_of_a_histogram_are_exact_at_every_bound()
    {
        var source = new Source();
        var collector = new PrometheusCollector([source]);
        var times = new Core.Common.DurationHistogram();
        var random = new Random(17);
        var recorded = Enumerable.Range(0, 5_000).Select(_ => random.NextInt64(1L << random.Next(1, 40))).ToArray();
        foreach (var ticks in recorded)
            times.Record(TimeSpan.FromTicks(ticks));
        source.Buckets["tasks"] = times.Buckets.ToArray();
        var page = Read(collector);
        for (var power = 10; power < 32; power++)
        {
            var bound = TimeSpan.FromTicks(1L << power).TotalSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
            var expected = recorded.Count(ticks => ticks < 1L << power);
            Assert.Contains(
                $$"""orchestrator_engine_lock_wait_duration_seconds_bucket{engine="tasks",le="{{bound}}"} {{expected}}""", page);
        }

        var sum = double.Parse(
            SumLine().Match(page).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(sum / TimeSpan.FromTicks(recorded.Sum()).TotalSeconds, 0.93, 1.07);
    }

    [Theory]
    [InlineData(Core.TaskModel.TaskState.TimedOut, "timed_out")]
    [InlineData(Core.TaskModel.FailureReason.None, "")]
    [InlineData(Core.TaskModel.FailureReason.WorkerLost, "worker_lost")]
    [InlineData(Core.TaskModel.WorkKind.Io, "io")]
    public void Tags_are_written_as_in_json(Enum value, string tag) => Assert.Equal(tag, value switch
    {
        Core.TaskModel.TaskState state => EnumTags.Of(state),
        Core.TaskModel.FailureReason reason => EnumTags.Of(reason),
        _ => EnumTags.Of((Core.TaskModel.WorkKind)value),
    });

    private static string Read(PrometheusCollector collector)
    {
        using var text = new MemoryStream();
        collector.Registry.CollectAndExportAsTextAsync(text).GetAwaiter().GetResult();
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }

    [GeneratedRegex("^(orchestrator|process)(\\.[a-z][a-z_]*)+$")]
    private static partial Regex OpenTelemetryName();

    [GeneratedRegex("^(s|By|1||\\{[a-z]+\\})$")]
    private static partial Regex UnitForm();

    [GeneratedRegex("^[a-z]+$")]
    private static partial Regex TagForm();

    [GeneratedRegex("_sum\\{engine=\"tasks\"\\} (\\S+)")]
    private static partial Regex SumLine();

    private sealed class Source : IMeasurementSource
    {
        public Dictionary<string, double> Counts { get; } = [];

        public Dictionary<string, long[]> Buckets { get; } = [];

        public void Write(IMeasurements to)
        {
            foreach (var (name, value) in Counts)
                to.Add(Instruments.QueuePut, value, name);
            foreach (var (name, buckets) in Buckets)
                to.Add(Instruments.EngineLockWaitDuration, buckets, name);
        }
    }
}
