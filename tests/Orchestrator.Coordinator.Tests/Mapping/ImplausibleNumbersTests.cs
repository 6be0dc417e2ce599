using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.V1;

namespace Orchestrator.Coordinator.Tests.Mapping;

/// <summary>Any program may be a worker: impossible numbers are cut, and neither overflow nor end what reads them.</summary>
public sealed class ImplausibleNumbersTests
{
    private static readonly TimeSpan s_most = TimeSpan.FromDays(100 * 366.0) + TimeSpan.FromSeconds(1);

    public static TheoryData<long, int> Times => new()
    {
        { long.MaxValue, 0 },
        { long.MinValue, 0 },
        { -5, -5 },
        { 0, int.MinValue },
        { 0, int.MaxValue },
        { 315_576_000_000, 999_999_999 },
        { 0, 0 },
    };

    [Theory]
    [MemberData(nameof(Times))]
    public void A_time(long seconds, int nanos)
    {
        var duration = new Duration { Seconds = seconds, Nanos = nanos };
        var report = ReportOf(new AttemptResult { TaskId = 1, Attempt = 1, Run = duration, CpuTime = duration });
        Assert.InRange(report.RunTicks, 1, s_most.Ticks);
        Assert.InRange(report.CpuTicks, 1, s_most.Ticks);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 63)]
    [InlineData(long.MaxValue)]
    [InlineData(1UL)]
    public void A_time_stamp_or_a_number_of_bytes(ulong value)
    {
        var report = ReportOf(new AttemptResult { TaskId = 1, Attempt = 1, EndedAt = value, AllocatedBytes = value });
        Assert.InRange(report.ReplyTicks, 1, s_most.Ticks);
        Assert.InRange(report.AllocatedBytes, 0, 1L << 60);
    }

    [Theory]
    [InlineData(double.NaN, ulong.MaxValue, int.MinValue)]
    [InlineData(double.PositiveInfinity, 1UL << 63, -1)]
    [InlineData(double.NegativeInfinity, 1UL << 51, int.MaxValue)]
    [InlineData(double.MaxValue, 0UL, 0)]
    public void Vitals(double cpuPercent, ulong rssBytes, int threads)
    {
        var vitals = WorkerMessageMapper.ToPlausible(new Vitals { CpuPercent = cpuPercent, RssBytes = rssBytes, Threads = threads });
        Assert.InRange(vitals.CpuPercent, 0, 1_000_000);
        Assert.InRange(vitals.RssBytes, 0UL, 1UL << 50);
        Assert.InRange(vitals.Threads, 0, int.MaxValue);
        // What sums them up: the page, comparisons.
        Assert.True(Enumerable.Repeat((long)vitals.RssBytes, 1_000).Sum() >= 0);
    }

    private static Core.Tasks.AttemptReport ReportOf(AttemptResult result)
    {
        var items = new RepeatedFieldReader<RawExecuteResponse>(
            new ExecuteResponse { Results = { result } }.ToByteArray(), RawAttemptResult.Field);
        Assert.True(items.Next(out var item));
        return WorkerMessageMapper.ToReport(RawAttemptResult.Read(item), int.MaxValue);
    }
}
