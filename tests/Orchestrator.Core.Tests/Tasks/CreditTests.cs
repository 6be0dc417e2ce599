using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>How many tasks are sent ahead to a worker's CPU lane, and when they are recalled.</summary>
public sealed class CreditTests
{
    private static int WindowAfter(double runMs, int submitted = 5_000, TaskEngineOptions? options = null)
    {
        var harness = new EngineHarness(options);
        var worker = harness.Join("w#1");
        harness.Teach(worker, TimeSpan.FromMilliseconds(runMs));
        harness.SubmitMany(submitted, "cpu");
        return worker.Outstanding;
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(0.5, 10)]
    [InlineData(0.1, 50)]
    [InlineData(0.01, 500)]
    public void The_window_holds_five_milliseconds_of_work(double runMs, int expected) =>
        Assert.InRange(WindowAfter(runMs), expected, expected + 1);

    [Fact]
    public void The_window_holds_at_most_1024_waiting_tasks() => Assert.Equal(1_025, WindowAfter(0.000_1));

    [Theory]
    [InlineData(6)]
    [InlineData(49)]
    public void One_task_is_ahead_where_the_gap_would_cost(double runMs) => Assert.Equal(2, WindowAfter(runMs));

    [Theory]
    [InlineData(51)]
    [InlineData(5_000)]
    public void Nothing_is_ahead_of_a_long_task(double runMs) => Assert.Equal(1, WindowAfter(runMs));

    [Fact]
    public void One_task_is_ahead_while_the_run_time_is_unknown()
    {
        var harness = new EngineHarness();
        var worker = harness.Join("w#1");
        harness.SubmitMany(10, "cpu");
        Assert.Equal((1, 1), (worker.Running, worker.Prefetched));
    }

    [Fact]
    public void The_window_follows_the_run_times_within_a_few_tasks()
    {
        var harness = new EngineHarness();
        var worker = harness.Join("w#1");
        harness.Teach(worker, TimeSpan.FromMilliseconds(0.1));
        harness.SubmitMany(200, "cpu");
        Assert.InRange(worker.Outstanding, 50, 51);
        for (var i = 0; i < 60; i++)
            harness.Report(worker, worker.Lanes[0].First!, run: TimeSpan.FromMilliseconds(2));
        Assert.InRange(worker.Outstanding, 2, 4);
    }

    [Fact]
    public void The_io_and_blocking_lanes_have_no_window()
    {
        var harness = new EngineHarness();
        var worker = harness.Join("w#1", io: 4, blocking: 2);
        harness.SubmitMany(10, "io");
        harness.SubmitMany(10, "blocking");
        Assert.Equal((6, 0), (worker.Running, worker.Prefetched));
    }

    [Fact]
    public void A_dry_worker_gets_the_later_half_of_anothers_window()
    {
        var harness = new EngineHarness();
        var busy = harness.Join("w#1");
        harness.Teach(busy, TimeSpan.FromMilliseconds(1));
        var tasks = harness.SubmitMany(5, "cpu");
        Assert.Equal(4, busy.Prefetched);
        var dry = harness.Join("w#2");
        // The last two of the four that wait, recalled in the order of their expected waits, longest first.
        Assert.Equal([tasks[4].Id, tasks[3].Id], harness.Signalled(SignalKind.GiveBack));
        harness.Return(busy, tasks[4]);
        harness.Return(busy, tasks[3]);
        Assert.Equal((3, 2), (busy.Outstanding, dry.Outstanding));
        Assert.Equal(1, tasks[4].Attempt);
    }

    [Fact]
    public void A_wait_too_short_for_a_message_is_asked_about_again_later()
    {
        var harness = new EngineHarness();
        var busy = harness.Join("w#1");
        harness.Teach(busy, TimeSpan.FromMilliseconds(0.2));
        var tasks = harness.SubmitMany(2, "cpu");
        harness.Join("w#2");
        Assert.Empty(harness.Effects.Signals);
        Assert.Equal(harness.Now + TimeSpan.FromMilliseconds(1), harness.Engine.NextDeadline);
        // The first runs far longer than expected: the estimate is that it runs as long again.
        harness.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal([tasks[1].Id], harness.Signalled(SignalKind.GiveBack));
        harness.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Empty(harness.Effects.Signals);
    }

    [Fact]
    public void Nothing_is_taken_back_while_there_is_other_work_for_the_dry_one()
    {
        var harness = new EngineHarness();
        var first = harness.Join("w#1");
        harness.Join("w#2");
        harness.SubmitMany(4, "cpu");
        Assert.Equal((1, 1), (first.Running, first.Prefetched));
        Assert.Empty(harness.Effects.Signals);
    }

    [Fact]
    public void A_task_bound_by_affinity_stays_in_the_window_of_its_worker()
    {
        var harness = new EngineHarness();
        var worker = harness.Join("w#1");
        harness.Teach(worker, TimeSpan.FromMilliseconds(2));
        harness.SubmitMany(2, "cpu", TaskPolicy.Default with { AffinityKey = "a" });
        Assert.Equal(1, worker.Prefetched);
        harness.Join("w#2");
        harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(harness.Effects.Signals);
    }
}
