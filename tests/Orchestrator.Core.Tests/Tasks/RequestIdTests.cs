using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>The same request id joins the running task or gets its result.</summary>
public sealed class RequestIdTests
{
    private readonly EngineHarness _harness = new();

    [Fact]
    public void It_joins_the_running_task_and_both_get_the_result()
    {
        var (first, second) = (new RecordingOwner(), new RecordingOwner());
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", owner: first, requestId: "r", tag: 1);
        Assert.Same(task, _harness.Submit("cpu", owner: second, requestId: "r", tag: 2));
        Assert.Empty(_harness.Effects.Assignments);
        Assert.Equal(1, _harness.View.Unfinished);
        _harness.Report(worker, task);
        Assert.Equal(
            [(first, 1UL), (second, 2UL)], _harness.Effects.Deliveries.Select(delivery => ((RecordingOwner)delivery.Owner, delivery.Tag)));
    }

    [Fact]
    public void It_gets_the_result_of_one_that_has_ended_even_after_that_was_delivered()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", owner: new RecordingOwner(), requestId: "r");
        _harness.Report(worker, task);
        var late = new RecordingOwner();
        Assert.Same(task, _harness.Submit("cpu", owner: late, requestId: "r", tag: 9));
        var delivery = Assert.Single(_harness.Effects.Deliveries);
        Assert.Equal((late, 9UL), (delivery.Owner, delivery.Tag));
    }

    [Fact]
    public void Its_result_is_kept_beyond_the_bounds_of_delivered_ones()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxDeliveredResults = 0 });
        var worker = harness.Join("w#1");
        var task = harness.Submit("cpu", owner: new RecordingOwner(), requestId: "r");
        harness.Report(worker, task);
        Assert.Equal(1, harness.View.Retained);
        Assert.Same(task, harness.Submit("cpu", owner: new RecordingOwner(), requestId: "r"));
    }

    [Fact]
    public void One_batch_may_name_it_twice()
    {
        _harness.Join("w#1");
        _harness.Apply(new TaskCommand.Submit([EngineHarness.Task("io", requestId: "r"), EngineHarness.Task("io", requestId: "r")], null));
        Assert.Same(_harness.Effects.Submitted[0].Task, _harness.Effects.Submitted[1].Task);
        Assert.Equal(1, _harness.View.Unfinished);
    }

    [Fact]
    public void After_the_window_it_is_a_new_task()
    {
        _harness.Join("w#1");
        var task = _harness.Submit("cpu", requestId: "r");
        _harness.Now += TimeSpan.FromMinutes(10) - TimeSpan.FromTicks(1);
        Assert.Same(task, _harness.Submit("cpu", requestId: "r"));
        _harness.Now += TimeSpan.FromTicks(1);
        Assert.NotSame(task, _harness.Submit("cpu", requestId: "r"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Within_the_window_but_with_its_result_expired_it_already_exists(bool allOrNone)
    {
        var worker = _harness.Join("w#1");
        _harness.Report(worker, _harness.Submit("cpu", TaskPolicy.Default with { ResultTtl = TimeSpan.FromSeconds(1) }, requestId: "r"));
        _harness.Advance(TimeSpan.FromSeconds(1));
        _harness.Apply(new TaskCommand.Submit([EngineHarness.Task("cpu"), EngineHarness.Task("cpu", requestId: "r")], null, allOrNone));
        Assert.Equal(FailureReason.AlreadyExists, _harness.Effects.Submitted[1].Refusal!.Reason);
        Assert.Equal(allOrNone ? 0 : 1, _harness.View.Unfinished);
        Assert.Equal(allOrNone, _harness.Effects.Submitted[0].Task is null);
    }

    [Fact]
    public void A_joined_task_outlives_the_owner_who_submitted_it()
    {
        var (first, second) = (new RecordingOwner(), new RecordingOwner());
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", owner: first, requestId: "r");
        _harness.Submit("cpu", owner: second, requestId: "r");
        _harness.Apply(new TaskCommand.Abandon(first));
        Assert.Empty(_harness.Effects.Signals);
        _harness.Report(worker, task);
        Assert.Equal(second, Assert.Single(_harness.Effects.Deliveries).Owner);
    }

    [Fact]
    public void Draining_and_full_it_still_joins()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxTasks = 1 });
        var task = harness.Submit("cpu", requestId: "r");
        harness.Apply(new TaskCommand.Drain());
        foreach (var allOrNone in new[] { false, true })
        {
            harness.Apply(new TaskCommand.Submit([EngineHarness.Task("cpu", requestId: "r")], null, allOrNone));
            Assert.Same(task, Assert.Single(harness.Effects.Submitted).Task);
        }
    }

    [Fact]
    public void A_refused_task_leaves_its_request_id_free()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxTasks = 1 });
        var first = harness.Submit("cpu");
        harness.Apply(new TaskCommand.Submit([EngineHarness.Task("cpu", requestId: "r")], null));
        Assert.NotNull(harness.Effects.Submitted[0].Refusal);
        Assert.Equal(0, harness.View.RequestIdCount);
        harness.Apply(new TaskCommand.Cancel([first.Id]));
        harness.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(TaskState.Queued, harness.Submit("cpu", requestId: "r").State);
    }
}
