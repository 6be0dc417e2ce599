using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>Tasks of brief handlers are packed on as many workers as the processors can run at once.</summary>
public sealed class PackingTests
{
    private const int RunsUntilBrief = 80;

    private static readonly TaskEngineOptions Two = new() { BriefWorkers = 2 };

    private static (EngineHarness Harness, WorkerNode[] Workers) Brief(
        string handler, int workers, double runUs = 10, TaskEngineOptions? options = null, int io = 100, int[]? cores = null)
    {
        var harness = new EngineHarness(options ?? Two);
        var nodes = Enumerable.Range(0, workers).Select(i => harness.Join($"w#{i + 1}", io: io, core: cores?[i] ?? -1)).ToArray();
        for (var i = 0; i < RunsUntilBrief; i++)
            harness.Teach(nodes[0], TimeSpan.FromMicroseconds(runUs), handler);
        return (harness, nodes);
    }

    private static int[] Outstanding(WorkerNode[] workers) => [.. workers.Select(worker => worker.Outstanding)];

    private static void Repeat(int count, Action action)
    {
        for (var i = 0; i < count; i++)
            action();
    }

    [Theory]
    [InlineData("cpu")]
    [InlineData("io")]
    public void Brief_tasks_stay_on_as_many_workers_as_there_are_processors(string handler)
    {
        var (harness, workers) = Brief(handler, 8);
        harness.SubmitMany(40, handler);
        var outstanding = Outstanding(workers);
        Assert.Equal(40, outstanding[0] + outstanding[1]);
        Assert.InRange(outstanding[0], 16, 24);
    }

    [Theory]
    [InlineData("cpu")]
    [InlineData("io")]
    public void Tasks_of_any_other_run_time_spread_over_all_workers(string handler)
    {
        var (harness, workers) = Brief(handler, 8, runUs: 1_000);
        harness.SubmitMany(8, handler);
        Assert.All(Outstanding(workers), count => Assert.Equal(1, count));
    }

    [Fact]
    public void An_engine_that_is_told_no_number_of_processors_spreads_them()
    {
        var (harness, workers) = Brief("cpu", 8, options: new TaskEngineOptions());
        harness.SubmitMany(8, "cpu");
        Assert.All(Outstanding(workers), count => Assert.Equal(1, count));
    }

    [Fact]
    public void With_no_more_workers_than_processors_nothing_changes()
    {
        var (packed, workers) = Brief("cpu", 2);
        var (spread, others) = Brief("cpu", 2, options: new TaskEngineOptions());
        packed.SubmitMany(3_000, "cpu");
        spread.SubmitMany(3_000, "cpu");
        Assert.Equal(Outstanding(others), Outstanding(workers));
    }

    [Fact]
    public void The_workers_of_a_pack_are_on_cores_of_their_own()
    {
        var (harness, workers) = Brief("io", 6, cores: [0, 0, 0, 1, 1, 1]);
        harness.SubmitMany(40, "io");
        var outstanding = Outstanding(workers);
        Assert.Equal(40, outstanding[0] + outstanding[3]);
        Assert.True(outstanding[3] > 0);
    }

    [Theory]
    [InlineData("cpu")]
    [InlineData("io")]
    public void One_millisecond_of_brief_work_is_packed_on_a_lane_and_the_rest_waits(string handler)
    {
        var (harness, workers) = Brief(handler, 8, io: 1_000);
        harness.SubmitMany(1_000, handler);
        Assert.All(Outstanding(workers)[..2], count => Assert.InRange(count, 98, 102));
        Assert.All(Outstanding(workers)[2..], count => Assert.Equal(0, count));
        // Each end makes room for the next.
        harness.Report(workers[0], workers[0].Lanes[handler == "io" ? 1 : 0].First!, run: TimeSpan.FromMicroseconds(10));
        Assert.InRange(workers[0].Outstanding, 98, 102);
    }

    [Theory]
    [InlineData("cpu", "long_cpu")]
    [InlineData("io", "long_io")]
    public void No_worker_is_left_idle_while_a_longer_task_waits(string handler, string longer)
    {
        var (harness, workers) = Brief(handler, 8);
        harness.SubmitMany(1_000, handler);
        Assert.Equal(0, workers[7].Outstanding);
        var behind = harness.Submit(longer);
        Assert.All(workers, worker => Assert.NotEqual(0, worker.Outstanding));
        // All lanes are full before the order lets it run: it waits for no processor that is idle.
        Assert.True(behind.Phase == TaskPhase.Assigned
            || workers.All(worker => worker.Lanes[handler == "io" ? 1 : 0] is var lane && lane.Outstanding >= lane.Slots));
    }

    [Fact]
    public void A_worker_that_runs_something_long_is_not_packed()
    {
        var (harness, workers) = Brief("io", 4);
        var running = harness.Submit("cpu");
        Assert.Same(workers[0], running.Worker);
        harness.SubmitMany(20, "io");
        Assert.Equal([1, 0], [workers[0].Outstanding, workers[3].Outstanding]);
        Assert.Equal(20, workers[1].Outstanding + workers[2].Outstanding);
    }

    [Fact]
    public void Where_all_workers_run_something_long_brief_tasks_spread()
    {
        var (harness, workers) = Brief("io", 4);
        harness.SubmitMany(4, "cpu");
        harness.SubmitMany(64, "io");
        Assert.All(workers, worker => Assert.Equal(17, worker.Outstanding));
    }

    [Fact]
    public void What_is_stuck_behind_a_task_that_runs_long_is_given_to_an_idle_worker()
    {
        var (harness, workers) = Brief("cpu", 4);
        harness.SubmitMany(6, "cpu");
        var stuck = workers[0].Lanes[0].First!;
        while (workers[1].Lanes[0].First is { } other)
            harness.Report(workers[1], other, run: TimeSpan.FromMicroseconds(10));
        var waited = TimeSpan.Zero;
        while (workers[0].Outstanding > 1)
        {
            harness.Advance(TimeSpan.FromMilliseconds(1));
            waited += TimeSpan.FromMilliseconds(1);
            Assert.True(waited < TimeSpan.FromMilliseconds(10), "a task is still stuck");
            // One that is returned may be followed by a request for another.
            while (harness.Signalled(SignalKind.GiveBack).ToArray() is { Length: > 0 } requested)
                harness.Apply(new TaskCommand.Report(workers[0], []) { Returned = [.. requested.Select(task => new AttemptId(task, 1))] });
            foreach (var worker in workers[1..])
            {
                while (worker.Lanes[0].First is { } moved)
                    harness.Report(worker, moved, run: TimeSpan.FromMicroseconds(10));
            }
        }

        Assert.Same(stuck, workers[0].Lanes[0].First);
    }

    [Theory]
    [InlineData("cpu")]
    [InlineData("io")]
    public void Workers_that_get_no_further_are_replaced_by_others_in_time(string handler)
    {
        var (harness, workers) = Brief(handler, 4);
        harness.SubmitMany(1_000, handler);
        Assert.Equal([0, 0], Outstanding(workers)[2..]);
        Assert.Equal(harness.Now + Two.BriefStall, harness.Engine.NextDeadline);
        harness.Advance(Two.BriefStall + TimeSpan.FromTicks(1));
        Assert.All(Outstanding(workers)[2..], count => Assert.InRange(count, 98, 102));
    }

    [Fact]
    public void In_a_queue_of_brief_tasks_those_behind_a_long_one_are_taken_back_too()
    {
        var (harness, workers) = Brief("cpu", 4);
        harness.SubmitMany(1_000, "cpu");
        var waiting = workers[0].Prefetched;
        harness.Advance(TimeSpan.FromMilliseconds(5));
        Assert.Empty(harness.Signalled(SignalKind.GiveBack));
        // The other worker gets on.
        Repeat(50, () => harness.Report(workers[1], workers[1].Lanes[0].First!, run: TimeSpan.FromMicroseconds(10)));
        harness.Advance(TimeSpan.FromMilliseconds(6));
        var requested = harness.Signalled(SignalKind.GiveBack).ToArray();
        Assert.Equal((waiting + 1) / 2, requested.Length);
        harness.Apply(new TaskCommand.Report(workers[0], []) { Returned = [.. requested.Select(task => new AttemptId(task, 1))] });
        Assert.Equal(1 + (waiting / 2), workers[0].Outstanding);
    }

    [Fact]
    public void One_interrupted_run_changes_nothing_and_four_long_ones_spread_again()
    {
        var (harness, workers) = Brief("io", 8);
        harness.Teach(workers[0], TimeSpan.FromMilliseconds(4), "io");
        harness.SubmitMany(16, "io");
        Assert.Equal(16, workers[0].Outstanding + workers[1].Outstanding);
        while (workers.FirstOrDefault(worker => worker.Lanes[1].First is not null) is { } busy)
            harness.Report(busy, busy.Lanes[1].First!, run: TimeSpan.FromMicroseconds(10));
        Repeat(8, () => harness.Teach(workers[0], TimeSpan.FromMilliseconds(4), "io"));
        harness.SubmitMany(8, "io");
        Assert.All(Outstanding(workers), count => Assert.Equal(1, count));
    }

    [Fact]
    public void A_task_bound_by_affinity_goes_to_its_worker()
    {
        var (harness, workers) = Brief("cpu", 4);
        var policy = TaskPolicy.Default with { AffinityKey = "home" };
        var first = harness.Submit("cpu", policy);
        var home = first.Worker!;
        harness.Report(home, first, run: TimeSpan.FromMicroseconds(10));
        harness.SubmitMany(30, "cpu");
        Assert.Same(home, harness.Submit("cpu", policy).Worker);
        Assert.Equal(4, workers.Length);
    }
}
