using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>How long results stay readable, and which limits they count against.</summary>
public sealed class RetentionTests
{
    [Fact]
    public void A_result_that_nobody_was_given_is_kept_for_its_time_to_live()
    {
        var harness = new EngineHarness();
        var worker = harness.Join("w#1");
        var task = harness.Submit("cpu");
        harness.Report(worker, task);
        Assert.Equal((1, 6L), (harness.View.Retained, harness.View.PayloadBytes));
        Assert.Equal(harness.Now + TimeSpan.FromMinutes(10), harness.Engine.NextDeadline);
        harness.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromTicks(1));
        Assert.Same(task, harness.View.Find(task.Id));
        harness.Advance(TimeSpan.FromTicks(1));
        Assert.Null(harness.View.Find(task.Id));
        Assert.Equal((0, 0L), (harness.View.Retained, harness.View.PayloadBytes));
        Assert.Null(harness.Engine.NextDeadline);
    }

    [Fact]
    public void The_task_may_set_its_own_time_to_live()
    {
        var harness = new EngineHarness();
        var worker = harness.Join("w#1");
        var task = harness.Submit("cpu", TaskPolicy.Default with { ResultTtl = TimeSpan.FromSeconds(3) });
        harness.Report(worker, task);
        harness.Advance(TimeSpan.FromSeconds(3));
        Assert.Null(harness.View.Find(task.Id));
    }

    [Fact]
    public void Delivered_results_stay_readable_up_to_a_number_and_the_oldest_goes_first()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxDeliveredResults = 3 });
        var worker = harness.Join("w#1");
        var tasks = harness.SubmitMany(5, "io", owner: new RecordingOwner());
        foreach (var task in tasks)
            harness.Report(worker, task);
        Assert.Equal([false, false, true, true, true], tasks.Select(task => harness.View.Find(task.Id) is not null));
        Assert.Equal((0, 0L), (harness.View.Retained, harness.View.PayloadBytes));
    }

    [Fact]
    public void Delivered_results_stay_readable_up_to_a_number_of_bytes()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxDeliveredBytes = 13 });
        var worker = harness.Join("w#1");
        // Each output counts 6 bytes.
        var tasks = harness.SubmitMany(3, "io", owner: new RecordingOwner());
        foreach (var task in tasks)
            harness.Report(worker, task);
        Assert.Equal([false, true, true], tasks.Select(task => harness.View.Find(task.Id) is not null));
    }

    [Fact]
    public void The_newest_known_tasks_are_listed_first()
    {
        var harness = new EngineHarness();
        var tasks = harness.SubmitMany(2_100, "io");
        Assert.Equal(tasks.Reverse(), harness.View.NewestBefore(long.MaxValue));
        Assert.Equal([tasks[1_023], tasks[1_022]], harness.View.NewestBefore(tasks[1_024].Id).Take(2));
    }
}
