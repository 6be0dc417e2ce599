using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>The stages of the cancellation escalation.</summary>
public sealed class CancelTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly EngineHarness _harness = new();

    [Fact]
    public void A_queued_task_is_cancelled_at_once()
    {
        _harness.Join("w#1", recordsFlight: false);
        _harness.Submit("cpu");
        var task = _harness.Submit("cpu");
        _harness.Cancel(task);
        Assert.Equal(
            (TaskState.Cancelled, FailureReason.Cancelled, CancelRung.BeforeStart), (task.State, task.Failure!.Reason, task.Failure.Rung));
        Assert.Empty(_harness.Effects.Signals);
        Assert.Equal([task.Id], _harness.Effects.Cancelled);
    }

    [Fact]
    public void An_unknown_or_ended_task_is_passed_over()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu");
        _harness.Report(worker, task);
        _harness.Apply(new TaskCommand.Cancel([task.Id, 4_711]));
        Assert.Empty(_harness.Effects.Cancelled);
        Assert.Equal(TaskState.Succeeded, task.State);
    }

    [Fact]
    public void A_running_task_gets_its_token_and_may_obey()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu");
        _harness.Cancel(task);
        Assert.Equal([task.Id], _harness.Signalled(SignalKind.Cancel));
        Assert.Equal(TaskState.Running, task.State);
        Assert.Equal(_harness.Now + Grace, _harness.Engine.NextDeadline);
        _harness.ReportCancelled(worker, task);
        Assert.Equal((TaskState.Cancelled, CancelRung.Cooperative), (task.State, task.Failure!.Rung));
        Assert.Empty(_harness.Orders);
    }

    [Fact]
    public void A_handler_that_throws_when_cancelled_is_cancelled_with_what_it_threw()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu");
        _harness.Cancel(task);
        _harness.ReportThrow(worker, task, "interrupted");
        Assert.Equal((TaskState.Cancelled, CancelRung.Cooperative), (task.State, task.Failure!.Rung));
        Assert.Contains("interrupted", task.Failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_finishes_in_spite_of_its_token_has_succeeded()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu");
        _harness.Cancel(task);
        _harness.Report(worker, task);
        Assert.Equal(TaskState.Succeeded, task.State);
    }

    [Fact]
    public void A_second_cancel_does_not_restart_the_grace()
    {
        _harness.Join("w#1");
        var task = _harness.Submit("cpu");
        _harness.Cancel(task);
        var deadline = _harness.Engine.NextDeadline;
        _harness.Now += TimeSpan.FromSeconds(1);
        _harness.Cancel(task);
        Assert.Empty(_harness.Effects.Signals);
        Assert.Equal(deadline, _harness.Engine.NextDeadline);
    }

    [Fact]
    public void After_the_grace_the_caller_has_its_answer_and_the_worker_is_condemned_and_killed()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", owner: new RecordingOwner());
        _harness.Cancel(task);
        _harness.Advance(Grace - TimeSpan.FromMilliseconds(1));
        Assert.Empty(_harness.Orders);
        _harness.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal((TaskState.Cancelled, CancelRung.Killed), (task.State, task.Failure!.Rung));
        Assert.Single(_harness.Effects.Deliveries);
        Assert.Equal([WorkerOrderKind.Condemn, WorkerOrderKind.Kill], _harness.Orders);
        Assert.True(worker.IsCondemned);
    }

    [Fact]
    public void The_task_may_set_its_own_grace()
    {
        _harness.Join("w#1");
        var task = _harness.Submit("cpu", TaskPolicy.Default with { CancelGrace = TimeSpan.FromMilliseconds(100) });
        _harness.Cancel(task);
        _harness.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(TaskState.Cancelled, task.State);
    }

    [Fact]
    public void Force_skips_the_cooperative_rung()
    {
        _harness.Join("w#1");
        var task = _harness.Submit("cpu");
        _harness.Cancel(task, force: true);
        Assert.Equal((TaskState.Cancelled, CancelRung.Killed), (task.State, task.Failure!.Rung));
        Assert.Equal([WorkerOrderKind.Condemn, WorkerOrderKind.Kill], _harness.Orders);
    }

    [Fact]
    public void Force_after_a_cancel_ends_its_patience()
    {
        _harness.Join("w#1");
        var task = _harness.Submit("cpu");
        _harness.Cancel(task);
        _harness.Cancel(task, force: true);
        Assert.Equal(CancelRung.Killed, task.Failure!.Rung);
    }

    [Fact]
    public void Force_on_a_task_sent_ahead_kills_nobody()
    {
        var worker = _harness.Join("w#1");
        _harness.Submit("cpu");
        var ahead = _harness.Submit("cpu");
        _harness.Cancel(ahead, force: true);
        Assert.Empty(_harness.Orders);
        Assert.Equal([ahead.Id], _harness.Signalled(SignalKind.Cancel));
        _harness.Report(worker, ahead, new TaskFailure(FailureReason.Cancelled, "") { Rung = CancelRung.BeforeStart }, run: TimeSpan.Zero);
        Assert.Equal((TaskState.Cancelled, CancelRung.BeforeStart), (ahead.State, ahead.Failure!.Rung));
    }

    [Fact]
    public void Innocent_neighbours_end_normally_before_the_kill()
    {
        var worker = _harness.Join("w#1");
        var neighbour = _harness.Submit("io");
        var stubborn = _harness.Submit("cpu");
        _harness.Cancel(stubborn, force: true);
        Assert.Equal([WorkerOrderKind.Condemn], _harness.Orders);
        Assert.Equal(TaskState.Running, neighbour.State);
        _harness.Report(worker, neighbour);
        Assert.Equal((TaskState.Succeeded, 1), (neighbour.State, neighbour.Attempt));
        Assert.Equal([WorkerOrderKind.Kill], _harness.Orders);
    }

    [Fact]
    public void Innocent_neighbours_have_thirty_seconds()
    {
        var worker = _harness.Join("w#1");
        var neighbour = _harness.Submit("io");
        // Its result is delivered, so that only the kill still has a deadline.
        _harness.Cancel(_harness.Submit("cpu", owner: new RecordingOwner()), force: true);
        Assert.Equal(_harness.Now + TimeSpan.FromSeconds(30), _harness.Engine.NextDeadline);
        _harness.Advance(TimeSpan.FromSeconds(29));
        Assert.Empty(_harness.Orders);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([WorkerOrderKind.Kill], _harness.Orders);
        _harness.Advance(TimeSpan.FromSeconds(60));
        Assert.Empty(_harness.Orders);
        Assert.Null(_harness.Engine.NextDeadline);
        _harness.Kill(worker, [1]);
        Assert.Equal(TaskState.WorkerLost, neighbour.State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_had_not_started_on_a_condemned_worker_is_asked_back_and_runs_elsewhere(bool force)
    {
        var worker = _harness.Join("w#1");
        _harness.Teach(worker, TimeSpan.FromMilliseconds(1));
        var stubborn = _harness.Submit("cpu");
        var ahead = _harness.SubmitMany(3, "cpu");
        Assert.All(ahead, task => Assert.Equal(TaskPhase.Assigned, task.Phase));
        _harness.Cancel(stubborn, force);
        if (!force)
            _harness.Advance(Grace);
        Assert.Equal([WorkerOrderKind.Condemn], _harness.Orders);
        Assert.Equal(ahead.Select(task => task.Id), _harness.Signalled(SignalKind.GiveBack));
        var spare = _harness.Join("w#2");
        foreach (var task in ahead)
            _harness.Return(worker, task);
        Assert.Equal([WorkerOrderKind.Kill], _harness.Orders);
        Assert.Equal(3, spare.Outstanding);
        Assert.All(ahead, task => Assert.Equal((1, "w#2"), (task.Attempt, task.WorkerName)));
    }

    [Fact]
    public void A_condemned_worker_gets_nothing_new()
    {
        var worker = _harness.Join("w#1");
        _harness.Submit("io");
        _harness.Cancel(_harness.Submit("cpu"), force: true);
        var next = _harness.Submit("io");
        Assert.Equal(TaskState.Queued, next.State);
        Assert.Equal(1, worker.Outstanding);
        _harness.Join("w#2");
        Assert.Equal((TaskState.Running, "w#2"), (next.State, next.WorkerName));
    }

    [Fact]
    public void Condemning_an_idle_worker_kills_it_at_once()
    {
        var worker = _harness.Join("w#1");
        _harness.Apply(new TaskCommand.Condemn(worker));
        Assert.Equal([WorkerOrderKind.Condemn, WorkerOrderKind.Kill], _harness.Orders);
        _harness.Apply(new TaskCommand.Condemn(worker));
        Assert.Empty(_harness.Orders);
    }

    [Fact]
    public void A_culprit_that_is_to_be_retried_waits_for_the_death_of_its_worker()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", TaskPolicy.Default with
        {
            RunTimeout = TimeSpan.FromSeconds(1),
            Retry = new RetryRule(2, TimeSpan.FromMilliseconds(10), 2, TimeSpan.FromSeconds(1), RetryWorkerLost: false),
        });
        _harness.Join("w#2");
        _harness.Advance(TimeSpan.FromSeconds(1));
        _harness.Advance(Grace);
        Assert.Equal([WorkerOrderKind.Condemn, WorkerOrderKind.Kill], _harness.Orders);
        Assert.Equal((TaskState.Running, 1), (task.State, task.Attempt));
        _harness.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(1, task.Attempt);
        _harness.Kill(worker, [1]);
        Assert.Equal((TaskState.Queued, 2), (task.State, task.Attempt));
        var earlier = Assert.Single(task.EarlierAttempts);
        Assert.Equal((FailureReason.RunTimeout, CancelRung.Killed), (earlier.Failure.Reason, earlier.Failure.Rung));
        _harness.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Equal((TaskState.Running, "w#2"), (task.State, task.WorkerName));
    }

    [Fact]
    public void A_culprit_that_is_cancelled_while_it_waits_ends_at_once()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", TaskPolicy.Default with
        {
            RunTimeout = TimeSpan.FromSeconds(1),
            Retry = new RetryRule(2, TimeSpan.Zero, 1, TimeSpan.Zero, RetryWorkerLost: false),
        });
        _harness.Advance(TimeSpan.FromSeconds(1));
        _harness.Advance(Grace);
        _harness.Cancel(task);
        Assert.Equal((TaskState.Cancelled, CancelRung.Killed), (task.State, task.Failure!.Rung));
        _harness.Kill(worker, [1]);
        Assert.Equal(TaskState.Cancelled, task.State);
    }

    [Fact]
    public void A_cancel_while_the_worker_dies_is_a_cancel()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu");
        _harness.Cancel(task);
        _harness.Kill(worker, [1]);
        Assert.Equal((TaskState.Cancelled, CancelRung.Killed), (task.State, task.Failure!.Rung));
        Assert.NotNull(task.Failure.PostMortem);
    }

    [Fact]
    public void Tags_cancel_only_the_owners_tasks()
    {
        _harness.Join("w#1", recordsFlight: false);
        _harness.Submit("cpu");
        var (mine, other) = (new RecordingOwner(), new RecordingOwner());
        var cancelled = _harness.Submit("cpu", owner: mine, tag: 3);
        var kept = _harness.Submit("cpu", owner: mine, tag: 4);
        var foreign = _harness.Submit("cpu", owner: other, tag: 3);
        _harness.Apply(new TaskCommand.CancelTags(mine, new HashSet<ulong> { 3 }));
        Assert.Equal([cancelled.Id], _harness.Effects.Cancelled);
        Assert.Equal((TaskState.Cancelled, TaskState.Queued, TaskState.Queued), (cancelled.State, kept.State, foreign.State));
    }
}
