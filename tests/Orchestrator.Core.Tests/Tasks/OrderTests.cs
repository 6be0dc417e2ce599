using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>Higher priority first; within a priority fair over keys, then first come, first served; aging on top.</summary>
public sealed class OrderTests
{
    private static readonly TaskEngineOptions NoAging = new() { Aging = TimeSpan.Zero };

    // No flight recorder: nothing is sent ahead, so the order of assignment is the order of starting.
    private static (EngineHarness Harness, WorkerNode Worker, TaskRecord Blocker) Busy(TaskEngineOptions? options = null)
    {
        var harness = new EngineHarness(options ?? NoAging);
        var worker = harness.Join("w#1", recordsFlight: false);
        return (harness, worker, harness.Submit("cpu"));
    }

    private static List<TaskRecord> RunAll(EngineHarness harness, WorkerNode worker, int limit = int.MaxValue)
    {
        var order = new List<TaskRecord>();
        while (worker.Lanes[0].First is { } task && order.Count < limit)
        {
            order.Add(task);
            harness.Report(worker, task);
        }

        return order;
    }

    [Fact]
    public void Equal_tasks_run_first_come_first_served()
    {
        var (harness, worker, blocker) = Busy();
        var tasks = harness.SubmitMany(50, "cpu");
        Assert.Equal([blocker, .. tasks], RunAll(harness, worker));
    }

    [Fact]
    public void A_larger_priority_runs_first_and_negative_ones_last()
    {
        var (harness, worker, blocker) = Busy();
        var low = harness.Submit("cpu", TaskPolicy.Default with { Priority = -5 });
        var middle = harness.Submit("cpu");
        var high = harness.Submit("cpu", TaskPolicy.Default with { Priority = 5 });
        var alsoHigh = harness.Submit("cpu", TaskPolicy.Default with { Priority = 5 });
        Assert.Equal([blocker, high, alsoHigh, middle, low], RunAll(harness, worker));
    }

    [Fact]
    public void Aging_lets_an_old_task_overtake_a_more_urgent_one_after_a_second_per_priority()
    {
        var (harness, worker, blocker) = Busy(new TaskEngineOptions());
        var old = harness.Submit("cpu");
        harness.Now += TimeSpan.FromMilliseconds(2_900);
        var overtakes = harness.Submit("cpu", TaskPolicy.Default with { Priority = 3 });
        harness.Now += TimeSpan.FromMilliseconds(200);
        var tooLate = harness.Submit("cpu", TaskPolicy.Default with { Priority = 3 });
        Assert.Equal([blocker, overtakes, old, tooLate], RunAll(harness, worker));
    }

    [Fact]
    public void Without_aging_priority_alone_decides()
    {
        var (harness, worker, blocker) = Busy();
        var old = harness.Submit("cpu");
        harness.Now += TimeSpan.FromHours(1);
        var urgent = harness.Submit("cpu", TaskPolicy.Default with { Priority = 1 });
        Assert.Equal([blocker, urgent, old], RunAll(harness, worker));
    }

    [Fact]
    public void Keys_share_by_weight()
    {
        var (harness, worker, _) = Busy();
        // The key with the most work comes first and must not starve the others.
        harness.SubmitMany(2_000, "cpu", TaskPolicy.Default with { FairnessKey = "one", FairnessWeight = 1 });
        harness.SubmitMany(2_000, "cpu", TaskPolicy.Default with { FairnessKey = "two", FairnessWeight = 2 });
        harness.SubmitMany(2_000, "cpu", TaskPolicy.Default with { FairnessKey = "half", FairnessWeight = 0.5 });
        var ran = RunAll(harness, worker, 701).Skip(1).GroupBy(task => task.Policy.FairnessKey).ToDictionary(
            group => group.Key, group => group.Count());
        Assert.InRange(ran["one"], 194, 206);
        Assert.InRange(ran["two"], 392, 408);
        Assert.InRange(ran["half"], 97, 103);
    }

    [Fact]
    public void Within_one_key_it_is_still_first_come_first_served()
    {
        var (harness, worker, _) = Busy();
        harness.SubmitMany(20, "cpu", TaskPolicy.Default with { FairnessKey = "a" });
        harness.SubmitMany(20, "cpu", TaskPolicy.Default with { FairnessKey = "b" });
        foreach (var group in RunAll(harness, worker).GroupBy(task => task.Policy.FairnessKey))
            Assert.Equal(group.Select(task => task.Id).Order(), group.Select(task => task.Id));
    }

    [Fact]
    public void A_key_that_was_idle_gets_no_credit_for_it()
    {
        var (harness, worker, _) = Busy();
        harness.SubmitMany(300, "cpu", TaskPolicy.Default with { FairnessKey = "busy" });
        RunAll(harness, worker, 201);
        harness.SubmitMany(100, "cpu", TaskPolicy.Default with { FairnessKey = "late" });
        var next = RunAll(harness, worker, 40);
        Assert.InRange(next.Count(task => task.Policy.FairnessKey == "late"), 19, 21);
    }

    [Fact]
    public void A_key_that_submits_one_task_at_a_time_still_pays_for_its_turns()
    {
        var (harness, worker, _) = Busy();
        harness.SubmitMany(300, "cpu", TaskPolicy.Default with { FairnessKey = "batch" });
        var dripped = 0;
        harness.Submit("cpu", TaskPolicy.Default with { FairnessKey = "drip" });
        RunAll(harness, worker, 1);
        for (var i = 0; i < 100; i++)
        {
            var ran = Assert.Single(RunAll(harness, worker, 1));
            if (ran.Policy.FairnessKey != "drip")
                continue;
            dripped++;
            harness.Submit("cpu", TaskPolicy.Default with { FairnessKey = "drip" });
        }

        Assert.InRange(dripped, 48, 52);
    }

    [Fact]
    public void A_cancelled_task_costs_its_key_no_turn()
    {
        var (harness, worker, _) = Busy();
        var cancelled = harness.SubmitMany(10, "cpu", TaskPolicy.Default with { FairnessKey = "a" });
        harness.SubmitMany(10, "cpu", TaskPolicy.Default with { FairnessKey = "a" });
        harness.SubmitMany(10, "cpu", TaskPolicy.Default with { FairnessKey = "b" });
        harness.Apply(new TaskCommand.Cancel([.. cancelled.Select(task => task.Id)]));
        var ran = RunAll(harness, worker, 11).Skip(1).ToArray();
        Assert.Equal(5, ran.Count(task => task.Policy.FairnessKey == "a"));
    }

    [Fact]
    public void What_is_given_back_regains_its_place()
    {
        var harness = new EngineHarness(NoAging);
        var worker = harness.Join("w#1");
        harness.Submit("cpu");
        var ahead = harness.Submit("cpu");
        var behind = harness.SubmitMany(3, "cpu");
        Assert.Equal(TaskPhase.Assigned, ahead.Phase);
        harness.Apply(new TaskCommand.WorkerDraining(worker));
        harness.Return(worker, ahead);
        var other = harness.Join("w#2", recordsFlight: false);
        Assert.Equal([ahead, .. behind], RunAll(harness, other));
        Assert.Equal(1, ahead.Attempt);
    }

    [Fact]
    public void A_free_worker_is_preferred_to_a_place_in_a_window()
    {
        var harness = new EngineHarness();
        var first = harness.Join("w#1");
        var second = harness.Join("w#2");
        harness.SubmitMany(2, "cpu");
        Assert.Equal((1, 1), (first.Outstanding, second.Outstanding));
    }

    [Fact]
    public void Many_io_tasks_spread_over_the_workers()
    {
        var harness = new EngineHarness();
        var first = harness.Join("w#1", io: 10);
        var second = harness.Join("w#2", io: 10);
        harness.SubmitMany(10, "io");
        Assert.Equal((5, 5), (first.Running, second.Running));
    }

    [Fact]
    public void Short_io_tasks_that_come_together_stay_together()
    {
        var harness = new EngineHarness();
        var neighbours = new TaskEngineOptions().IoNeighbours;
        var first = harness.Join("w#1", io: 100);
        harness.Report(first, harness.Submit("io"), run: TimeSpan.FromMicroseconds(50));
        var second = harness.Join("w#2", io: 100);
        harness.SubmitMany(neighbours, "io");
        Assert.Equal((neighbours, 0), (first.Running, second.Running));
        harness.SubmitMany(3 * neighbours, "io");
        Assert.Equal((2 * neighbours, 2 * neighbours), (first.Running, second.Running));
    }

    [Fact]
    public void Lanes_do_not_wait_for_each_other()
    {
        var (harness, worker, _) = Busy();
        harness.SubmitMany(5, "cpu");
        var io = harness.Submit("io");
        var blocking = harness.SubmitMany(3, "blocking");
        Assert.Equal(TaskState.Running, io.State);
        Assert.Equal([TaskState.Running, TaskState.Running, TaskState.Queued], blocking.Select(task => task.State));
        Assert.Equal(4, worker.Running);
    }
}
