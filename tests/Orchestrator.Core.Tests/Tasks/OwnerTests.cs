using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>Streams that fail fast, disconnect, or leave their tasks running.</summary>
public sealed class OwnerTests
{
    private readonly EngineHarness _harness = new();

    [Fact]
    public void Under_fail_fast_the_first_failure_cancels_the_rest()
    {
        var owner = new RecordingOwner { FailFast = true };
        var worker = _harness.Join("w#1", io: 2);
        var tasks = _harness.SubmitMany(4, "io", owner: owner);
        var foreign = _harness.Submit("io");
        _harness.ReportThrow(worker, tasks[0]);
        Assert.Equal([tasks[1].Id], _harness.Signalled(SignalKind.Cancel));
        Assert.Equal([tasks[0], tasks[2], tasks[3]], _harness.Effects.Deliveries.Select(delivery => delivery.Task));
        Assert.Equal([TaskState.Failed, TaskState.Running, TaskState.Cancelled, TaskState.Cancelled], tasks.Select(task => task.State));
        Assert.Equal(TaskState.Running, foreign.State);
        // Tasks submitted afterwards end at once, so that every tag has its result.
        var late = _harness.Submit("io", owner: owner);
        Assert.Equal((TaskState.Cancelled, CancelRung.BeforeStart), (late.State, late.Failure!.Rung));
        Assert.Contains("fail_fast", late.Failure.Message, StringComparison.Ordinal);
        Assert.Single(_harness.Effects.Deliveries);
    }

    [Fact]
    public void Under_fail_fast_a_success_cancels_nothing()
    {
        var worker = _harness.Join("w#1");
        var tasks = _harness.SubmitMany(2, "io", owner: new RecordingOwner { FailFast = true });
        _harness.Report(worker, tasks[0]);
        Assert.Empty(_harness.Effects.Signals);
        Assert.Equal(TaskState.Running, tasks[1].State);
    }

    [Fact]
    public void Without_fail_fast_the_rest_go_on()
    {
        var worker = _harness.Join("w#1");
        var tasks = _harness.SubmitMany(2, "io", owner: new RecordingOwner());
        _harness.ReportThrow(worker, tasks[0]);
        Assert.Equal(TaskState.Running, tasks[1].State);
    }

    [Fact]
    public void Tasks_of_an_owner_who_goes_away_are_cancelled_and_not_delivered()
    {
        var owner = new RecordingOwner();
        var worker = _harness.Join("w#1", io: 1);
        var tasks = _harness.SubmitMany(2, "io", owner: owner);
        _harness.Apply(new TaskCommand.Abandon(owner));
        Assert.Equal([tasks[0].Id], _harness.Signalled(SignalKind.Cancel));
        Assert.Equal((TaskState.Cancelled, 0), (tasks[1].State, owner.Unfinished));
        _harness.ReportCancelled(worker, tasks[0]);
        Assert.Empty(_harness.Effects.Deliveries);
        Assert.Equal(2, _harness.View.Retained);
    }

    [Fact]
    public void Detached_tasks_go_on_and_their_results_are_kept()
    {
        var owner = new RecordingOwner { DetachOnDisconnect = true };
        var worker = _harness.Join("w#1", io: 1);
        var tasks = _harness.SubmitMany(2, "io", owner: owner);
        _harness.Apply(new TaskCommand.Abandon(owner));
        Assert.Empty(_harness.Effects.Signals);
        _harness.Report(worker, tasks[0]);
        _harness.Report(worker, tasks[1]);
        Assert.Empty(_harness.Effects.Deliveries);
        Assert.All(tasks, task => Assert.Equal("output", _harness.View.Find(task.Id)!.Output));
        Assert.Equal(2, _harness.View.Retained);
    }

    [Fact]
    public void An_owner_knows_how_many_of_its_tasks_have_no_end_state()
    {
        var owner = new RecordingOwner();
        var worker = _harness.Join("w#1");
        var tasks = _harness.SubmitMany(3, "io", owner: owner);
        Assert.Equal(3, owner.Unfinished);
        _harness.Report(worker, tasks[1]);
        _harness.Cancel(tasks[0]);
        Assert.Equal(2, owner.Unfinished);
        _harness.ReportCancelled(worker, tasks[0]);
        Assert.Equal(1, owner.Unfinished);
    }
}
