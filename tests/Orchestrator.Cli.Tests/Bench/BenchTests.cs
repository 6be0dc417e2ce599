using System.Diagnostics;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Report;

namespace Orchestrator.Cli.Tests.Bench;

/// <summary>The bench must not claim more than it measured.</summary>
public sealed class BenchTests
{
    [Theory]
    [InlineData(50, 20)]
    [InlineData(90, 100)]
    [InlineData(99, 1_000)]
    [InlineData(99.9, 10_000)]
    public void A_percentile_needs_ten_samples_beyond_it(double percentile, long samples)
    {
        Assert.Equal(samples, LatencyRecorder.SamplesNeeded(percentile));
        var recorder = new LatencyRecorder();
        for (var i = 1; i < samples; i++)
            recorder.Record(0, i);
        Assert.Null(recorder.At(percentile));
        recorder.Record(0, samples);
        Assert.NotNull(recorder.At(percentile));
    }

    [Fact]
    public void A_round_that_is_over_before_it_began_does_one_operation()
    {
        var budget = new RoundPlan(TimeSpan.Zero, 0).Start();
        Assert.True(budget.TryTake());
        Assert.False(budget.TryTake());
    }

    [Fact]
    public void A_round_can_be_ended_before_its_time()
    {
        using var until = new CancellationTokenSource();
        var budget = new RoundPlan(TimeSpan.FromDays(1), 0) { Until = until.Token }.Start();
        Assert.True(budget.TryTake());
        until.Cancel();
        Assert.False(budget.TryTake());
    }

    [Fact]
    public void Arrivals_are_a_poisson_process_of_the_rate_asked_for()
    {
        const int Count = 100_000;
        var schedule = new ArrivalSchedule(10_000, new RoundPlan(TimeSpan.Zero, Count), seed: 7);
        Assert.Equal(Count, schedule.Count);
        Assert.InRange(schedule.OfferedRate, 9_800, 10_200);
        var gaps = Enumerable.Range(1, Count - 1).Select(i => (schedule[i] - schedule[i - 1]) / (double)Stopwatch.Frequency).ToArray();
        var mean = gaps.Average();
        // The gaps of a Poisson process are exponential: their deviation equals their mean.
        var deviation = Math.Sqrt(gaps.Average(gap => (gap - mean) * (gap - mean)));
        Assert.InRange(deviation / mean, 0.97, 1.03);
    }

    [Fact]
    public async Task A_stall_is_charged_to_every_operation_that_it_delayed()
    {
        var plan = new RoundPlan(TimeSpan.FromSeconds(0.2), 0);
        var stalled = new TaskCompletionSource();
        var first = 0;
        // The first call hangs until all the others, which may not overtake it, are long overdue.
        var loop = new OpenUnaryLoop(
            async (_, _) =>
            {
                if (Interlocked.Exchange(ref first, 1) == 0)
                    await stalled.Task;
                return null;
            },
            clients: 1, rate: 1_000, inFlight: 1);
        var running = loop.RunAsync(plan, CancellationToken.None);
        using (new Timer(_ => stalled.TrySetResult(), null, 400, Timeout.Infinite))
        {
            var round = await running.WaitAsync(TimeSpan.FromSeconds(20));
            Assert.True(round.Latency.At(50) > TimeSpan.FromMilliseconds(200), $"the median is {round.Latency.At(50)}");
        }
    }

    [Fact]
    public void Medians_of_even_and_odd_counts()
    {
        Assert.Equal(2, FigureSummary.Median([3, 1, 2]));
        Assert.Equal(2.5, FigureSummary.Median([4, 1, 2, 3]));
    }
}
