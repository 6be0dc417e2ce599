using Orchestrator.Core.Tests.Tasks;

namespace Orchestrator.Core.Tests.Spans;

public sealed class AttemptSpansTests
{
    /// <summary>A worker's clock goes on while the coordinator is stopped, and the engine's does not.</summary>
    [Theory]
    [InlineData(false, 11_000)]
    [InlineData(true, 11_000)]
    [InlineData(true, 3_600_000)]
    [InlineData(true, 3_000_000_000_000)]
    public void An_attempt_that_ran_for_longer_than_the_engine_begins_with_it(bool isWatched, long runMilliseconds)
    {
        var harness = new EngineHarness { Now = TimeSpan.FromSeconds(1) };
        var spans = harness.View.Spans;
        spans.Log.Switch(isWatched);
        var worker = harness.Join("w");
        var task = harness.Submit("cpu");
        harness.Now = TimeSpan.FromSeconds(2);
        harness.Report(worker, task, run: TimeSpan.FromMilliseconds(runMilliseconds));
        Assert.True(task.HasEnded);
        Assert.Equal(TimeSpan.FromMilliseconds(runMilliseconds).Ticks, task.RunTicks);
        var moments = spans.History.Read(TimeSpan.Zero, harness.Now);
        Assert.Equal(Enumerable.Range(0, 20).Select(bin => (long)bin), moments.Select(moment => moment.Bin));
        Assert.All(moments, moment => Assert.Equal(100, moment.Shares.Span[0].Hundredths));
        if (isWatched)
        {
            var span = Assert.Single(spans.Log.ReadPeriod(TimeSpan.Zero, harness.Now));
            Assert.Equal((0, harness.Now.Ticks, harness.Now.Ticks), (span.Start, span.Length, span.Busy));
        }
    }
}
