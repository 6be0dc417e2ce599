using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>Every accepted task ends in exactly one end state, and its owner is notified once.</summary>
public sealed class EndStateTests
{
    private readonly EngineHarness _harness = new();
    private readonly RecordingOwner _owner = new();

    [Fact]
    public void An_output_ends_it_succeeded()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", owner: _owner, tag: 7);
        Assert.Equal(TaskState.Running, task.State);
        _harness.Advance(TimeSpan.FromMilliseconds(20));
        _harness.Report(worker, task, run: TimeSpan.FromMilliseconds(15));
        Assert.Equal(TaskState.Succeeded, task.State);
        Assert.Equal("output", task.Output);
        Assert.Null(task.Failure);
        Assert.Null(task.Input);
        Assert.Equal("w#1", task.WorkerName);
        Assert.Equal(TimeSpan.FromMilliseconds(15).Ticks, task.RunTicks);
        Assert.Equal(TimeSpan.FromMilliseconds(20).Ticks, task.EndedAt - task.AcceptedAt);
        var delivery = Assert.Single(_harness.Effects.Deliveries);
        Assert.Equal((_owner, task, 7UL), (delivery.Owner, delivery.Task, delivery.Tag));
        Assert.Equal(0, _harness.View.Unfinished);
        Assert.Equal(0, _harness.View.PayloadBytes);
        Assert.Equal(1, worker.Succeeded);
    }

    [Fact]
    public void A_throw_ends_it_failed_with_the_remote_type_message_and_stack()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu");
        _harness.Report(
            worker, task, new TaskFailure(FailureReason.HandlerFailed, "no luck") { Type = "ValueError", StackTrace = "at line 3" });
        Assert.Equal(TaskState.Failed, task.State);
        Assert.Equal(("no luck", "ValueError", "at line 3"), (task.Failure!.Message, task.Failure.Type, task.Failure.StackTrace));
        Assert.Equal(1, worker.Failed);
        Assert.Null(task.Output);
    }

    [Theory]
    [InlineData(FailureReason.Invalid, TaskState.Failed)]
    [InlineData(FailureReason.LimitExceeded, TaskState.Failed)]
    [InlineData(FailureReason.HandlerFailed, TaskState.Failed)]
    [InlineData(FailureReason.Cancelled, TaskState.Cancelled)]
    [InlineData(FailureReason.RunTimeout, TaskState.TimedOut)]
    [InlineData(FailureReason.WorkerLost, TaskState.WorkerLost)]
    public void What_the_worker_reports_decides_the_end_state(FailureReason reason, TaskState expected)
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("io");
        _harness.Report(worker, task, new TaskFailure(reason, "why"));
        Assert.Equal(expected, task.State);
        Assert.Equal(1, _harness.View.Tally.Ended(expected));
        Assert.Equal(1, task.Handler.Tally.Ended(expected));
    }

    [Fact]
    public void A_second_result_of_the_same_attempt_changes_nothing()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", owner: _owner);
        _harness.Report(worker, task);
        _harness.ReportThrow(worker, task);
        Assert.Equal(TaskState.Succeeded, task.State);
        Assert.Empty(_harness.Effects.Deliveries);
        Assert.Equal(1, _harness.View.StaleReports);
    }

    [Fact]
    public void Measured_processor_time_and_allocations_come_with_the_result()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu");
        _harness.Apply(new TaskCommand.Report(
            worker, [new AttemptReport(task.Id, 1, "o", 1, null, 100, CpuTicks: 60, AllocatedBytes: 4_096, ReplyTicks: 7)]));
        Assert.Equal((60L, 4_096L, 7L), (task.CpuTicks, task.AllocatedBytes, task.ReplyTicks));
    }

    [Fact]
    public void A_batch_of_results_and_its_successors_is_one_pass()
    {
        var worker = _harness.Join("w#1", io: 2);
        var first = _harness.SubmitMany(4, "io", owner: _owner);
        Assert.Equal(2, worker.Running);
        _harness.Apply(new TaskCommand.Report(
            worker, [new AttemptReport(first[0].Id, 1, "a", 1, null, 5), new AttemptReport(first[1].Id, 1, "b", 1, null, 5)]));
        Assert.Equal([first[0].Id, first[1].Id], _harness.Effects.Deliveries.Select(delivery => delivery.Task.Id));
        Assert.Equal([first[2].Id, first[3].Id], _harness.Assigned);
    }

    [Fact]
    public void Without_a_recorder_slot_left_a_worker_gets_no_more()
    {
        var small = new WorkerDescriptionBuilder("w#1") { RecorderSlots = 3 };
        var worker = small.Join(_harness);
        var tasks = _harness.SubmitMany(5, "io");
        Assert.Equal(3, worker.Outstanding);
        Assert.Equal(3, _harness.Effects.Assignments.Select(assignment => assignment.Slot).Distinct().Count());
        var freed = _harness.Effects.Assignments[1].Slot;
        _harness.Report(worker, tasks[1]);
        Assert.Equal(freed, Assert.Single(_harness.Effects.Assignments).Slot);
    }

    [Fact]
    public void CancelAll_ends_what_waits_and_signals_what_runs()
    {
        var worker = _harness.Join("w#1", cpu: 1, recordsFlight: false);
        var running = _harness.Submit("cpu");
        var waiting = _harness.Submit("cpu");
        _harness.Apply(new TaskCommand.CancelAll());
        Assert.Equal(TaskState.Cancelled, waiting.State);
        Assert.Equal([running.Id], _harness.Signalled(SignalKind.Cancel));
        _harness.ReportCancelled(worker, running);
        Assert.Equal(0, _harness.View.Unfinished);
    }

    [Fact]
    public void CancelAll_walks_all_tasks_while_old_results_make_room_for_new_ones()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxDeliveredResults = 1_100 });
        var worker = harness.Join("w#1", io: 2_000);
        // The first pages of the table hold only delivered results, which the cancelled tasks evict.
        foreach (var done in harness.SubmitMany(1_100, "io", owner: _owner))
            harness.Report(worker, done);
        harness.Apply(new TaskCommand.WorkerLost(worker, null, null));
        var waiting = harness.SubmitMany(1_100, "io", owner: _owner);
        harness.Apply(new TaskCommand.CancelAll());
        Assert.All(waiting, task => Assert.Equal(TaskState.Cancelled, task.State));
        Assert.Equal(1_100, harness.Effects.Deliveries.Count);
    }
}
