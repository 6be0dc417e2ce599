using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>A worker's death: which tasks had started is known, not guessed.</summary>
public sealed class WorkerLossTests
{
    private readonly EngineHarness _harness = new();

    [Fact]
    public void What_the_recorder_shows_unstarted_is_queued_again_silently()
    {
        var owner = new RecordingOwner();
        var worker = _harness.Join("w#1");
        var running = _harness.Submit("cpu", owner: owner);
        var ahead = _harness.Submit("cpu", owner: owner);
        var recorder = new byte[2_048];
        recorder[running.Slot] = FlightRecord.Started;
        _harness.Kill(worker, recorder);
        Assert.Equal(TaskState.WorkerLost, running.State);
        Assert.Equal((TaskState.Queued, 1), (ahead.State, ahead.Attempt));
        Assert.Equal([running], _harness.Effects.Deliveries.Select(delivery => delivery.Task));
        Assert.Empty(ahead.EarlierAttempts);
        var next = _harness.Join("w#2");
        Assert.Equal((TaskState.Running, 1, "w#2"), (ahead.State, ahead.Attempt, ahead.WorkerName));
        _harness.Report(next, ahead);
        Assert.Equal(TaskState.Succeeded, ahead.State);
    }

    [Fact]
    public void One_that_was_thought_to_run_but_had_not_started_is_queued_again_too()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu");
        Assert.Equal(TaskState.Running, task.State);
        _harness.Kill(worker, new byte[2_048]);
        Assert.Equal((TaskState.Queued, 1, 0L), (task.State, task.Attempt, task.StartedAt));
        Assert.Equal((1L, 0L), (_harness.View.Tally.Queued, _harness.View.Tally.Running));
    }

    [Fact]
    public void One_that_was_thought_to_wait_but_had_started_is_lost()
    {
        var worker = _harness.Join("w#1");
        var first = _harness.Submit("cpu");
        var second = _harness.Submit("cpu");
        var recorder = new byte[2_048];
        recorder[first.Slot] = FlightRecord.Ended;
        recorder[second.Slot] = FlightRecord.Started;
        _harness.Kill(worker, recorder);
        Assert.Equal(TaskState.WorkerLost, first.State);
        Assert.Contains("had finished", first.Failure!.Message, StringComparison.Ordinal);
        Assert.Equal(TaskState.WorkerLost, second.State);
        Assert.Contains("while it ran the task", second.Failure!.Message, StringComparison.Ordinal);
        Assert.Equal(0, _harness.View.Tally.Running);
    }

    [Fact]
    public void The_post_mortem_comes_with_the_result()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu");
        _harness.Advance(TimeSpan.FromMilliseconds(70));
        _harness.Kill(worker, [FlightRecord.Started], "SIGSEGV (11)");
        Assert.Equal(FailureReason.WorkerLost, task.Failure!.Reason);
        Assert.Equal("SIGSEGV (11)", task.Failure.PostMortem!.Signal);
        Assert.Contains("w#1", task.Failure.Message, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromMilliseconds(70).Ticks, task.RunTicks);
    }

    [Fact]
    public void A_worker_without_a_recorder_gets_nothing_ahead()
    {
        var worker = _harness.Join("w#1", recordsFlight: false);
        var running = _harness.Submit("cpu");
        var waiting = _harness.SubmitMany(5, "cpu");
        Assert.Equal(1, worker.Outstanding);
        _harness.Kill(worker, recorder: null);
        Assert.Equal(TaskState.WorkerLost, running.State);
        Assert.All(waiting, task => Assert.Equal(TaskState.Queued, task.State));
    }

    [Fact]
    public void A_death_is_told_once()
    {
        var worker = _harness.Join("w#1");
        _harness.Submit("cpu", owner: new RecordingOwner());
        _harness.Kill(worker, [FlightRecord.Started]);
        Assert.Single(_harness.Effects.Deliveries);
        _harness.Kill(worker, [FlightRecord.Started]);
        Assert.Empty(_harness.Effects.Deliveries);
    }

    [Fact]
    public void Reports_of_a_dead_incarnation_change_nothing()
    {
        var dead = _harness.Join("w#1");
        var task = _harness.Submit("cpu");
        _harness.Kill(dead, new byte[2_048]);
        _harness.Join("w#2");
        Assert.Equal((TaskState.Running, 1), (task.State, task.Attempt));
        _harness.Report(dead, task);
        Assert.Equal((TaskState.Running, "w#2"), (task.State, task.WorkerName));
        Assert.Equal(1, _harness.View.StaleReports);
        _harness.Return(dead, task);
        _harness.Apply(new TaskCommand.Report(dead, []) { Updates = [new AttemptUpdate(task.Id, 1, TaskEventKind.Progress, "half", 4)] });
        Assert.Null(task.Progress);
        Assert.Equal(TaskState.Running, task.State);
        Assert.Equal(3, _harness.View.StaleReports);
    }

    [Fact]
    public void A_report_of_an_older_attempt_changes_nothing()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", TaskPolicy.Default with { Retry = new RetryRule(2, TimeSpan.Zero, 1, TimeSpan.Zero, false) });
        _harness.ReportThrow(worker, task);
        _harness.Advance(TimeSpan.Zero);
        Assert.Equal((TaskState.Running, 2), (task.State, task.Attempt));
        _harness.Report(worker, task, attempt: 1);
        Assert.Equal(TaskState.Running, task.State);
        _harness.Report(worker, task, attempt: 3);
        Assert.Equal(TaskState.Running, task.State);
        Assert.Equal(2, _harness.View.StaleReports);
    }

    [Fact]
    public void A_report_about_an_unknown_task_changes_nothing()
    {
        var worker = _harness.Join("w#1");
        _harness.Apply(new TaskCommand.Report(worker, [new AttemptReport(99, 1, "x", 1, null, 1)]));
        Assert.Equal(1, _harness.View.StaleReports);
        Assert.Equal(0, _harness.View.Tally.EndedTotal);
    }

    [Fact]
    public void A_draining_worker_finishes_what_runs_and_gives_back_the_rest()
    {
        var worker = _harness.Join("w#1");
        var running = _harness.Submit("cpu");
        var ahead = _harness.Submit("cpu");
        _harness.Apply(new TaskCommand.WorkerDraining(worker));
        Assert.Equal([ahead.Id], _harness.Signalled(SignalKind.GiveBack));
        _harness.Apply(new TaskCommand.WorkerDraining(worker));
        Assert.Empty(_harness.Effects.Signals);
        _harness.Return(worker, ahead);
        Assert.Equal((TaskState.Queued, 1), (ahead.State, worker.Outstanding));
        _harness.Report(worker, running);
        Assert.Equal(TaskState.Succeeded, running.State);
        Assert.Empty(_harness.Effects.Assignments);
        // It leaves on the coordinator's order: without a post-mortem.
        _harness.Apply(new TaskCommand.WorkerLost(worker, new byte[2_048], null));
        Assert.Empty(_harness.Orders);
    }
}
