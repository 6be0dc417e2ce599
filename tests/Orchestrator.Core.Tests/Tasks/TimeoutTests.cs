using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>Queue, run and total timeouts, each enforced even if the handler never checks its token.</summary>
public sealed class TimeoutTests
{
    private readonly EngineHarness _harness = new();

    private static TaskPolicy Policy(double? queue = null, double? run = null, double? total = null) => TaskPolicy.Default with
    {
        QueueTimeout = queue is { } q ? TimeSpan.FromSeconds(q) : null,
        RunTimeout = run is { } r ? TimeSpan.FromSeconds(r) : null,
        TotalTimeout = total is { } t ? TimeSpan.FromSeconds(t) : null,
    };

    [Fact]
    public void A_task_that_does_not_start_in_time_ends_timed_out()
    {
        _harness.Join("w#1", recordsFlight: false);
        _harness.Submit("cpu");
        var task = _harness.Submit("cpu", Policy(queue: 1));
        Assert.Equal(_harness.Now + TimeSpan.FromSeconds(1), _harness.Engine.NextDeadline);
        _harness.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Equal(TaskState.Queued, task.State);
        _harness.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal((TaskState.TimedOut, FailureReason.QueueTimeout), (task.State, task.Failure!.Reason));
        Assert.Contains("1 s", task.Failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_queue_timeout_of_zero_is_one_attempt()
    {
        _harness.Join("w#1", recordsFlight: false);
        var starts = _harness.Submit("cpu", Policy(queue: 0));
        Assert.Equal(TaskState.Running, starts.State);
        var waits = _harness.Submit("cpu", Policy(queue: 0));
        _harness.Advance(TimeSpan.Zero);
        Assert.Equal(FailureReason.QueueTimeout, waits.Failure!.Reason);
        Assert.Equal(TaskState.Running, starts.State);
    }

    [Fact]
    public void Once_started_the_queue_timeout_is_over()
    {
        _harness.Join("w#1");
        var task = _harness.Submit("cpu", Policy(queue: 1));
        Assert.Null(_harness.Engine.NextDeadline);
        _harness.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(TaskState.Running, task.State);
    }

    [Fact]
    public void A_task_sent_ahead_is_asked_back_when_its_queue_timeout_passes()
    {
        var worker = _harness.Join("w#1");
        _harness.Submit("cpu");
        var task = _harness.Submit("cpu", Policy(queue: 1));
        Assert.Equal(1, worker.Prefetched);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([task.Id], _harness.Signalled(SignalKind.GiveBack));
        Assert.Equal(TaskState.Queued, task.State);
        Assert.Null(_harness.Engine.NextDeadline);
        _harness.Return(worker, task);
        Assert.Equal((TaskState.TimedOut, FailureReason.QueueTimeout, CancelRung.BeforeStart),
            (task.State, task.Failure!.Reason, task.Failure.Rung));
        Assert.Equal(0, task.RunTicks);
    }

    [Fact]
    public void A_task_sent_ahead_that_started_just_before_has_kept_its_queue_timeout()
    {
        var worker = _harness.Join("w#1");
        var first = _harness.Submit("cpu");
        var task = _harness.Submit("cpu", Policy(queue: 1));
        _harness.Advance(TimeSpan.FromSeconds(1));
        _harness.Report(worker, first);
        Assert.Equal(TaskState.Running, task.State);
        _harness.Report(worker, task);
        Assert.Equal(TaskState.Succeeded, task.State);
    }

    [Fact]
    public void A_run_timeout_counts_from_the_start_of_the_attempt()
    {
        var worker = _harness.Join("w#1", recordsFlight: false);
        var first = _harness.Submit("cpu");
        var task = _harness.Submit("cpu", Policy(run: 1));
        _harness.Advance(TimeSpan.FromSeconds(10));
        _harness.Report(worker, first);
        Assert.Equal(TaskState.Running, task.State);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([task.Id], _harness.Signalled(SignalKind.Cancel));
        _harness.ReportCancelled(worker, task);
        Assert.Equal(
            (TaskState.TimedOut, FailureReason.RunTimeout, CancelRung.Cooperative), (task.State, task.Failure!.Reason, task.Failure.Rung));
    }

    [Fact]
    public void A_handler_that_never_looks_loses_its_worker()
    {
        _harness.Join("w#1");
        var task = _harness.Submit("cpu", Policy(run: 1));
        _harness.Advance(TimeSpan.FromSeconds(1));
        _harness.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((TaskState.TimedOut, CancelRung.Killed), (task.State, task.Failure!.Rung));
        Assert.Equal([WorkerOrderKind.Condemn, WorkerOrderKind.Kill], _harness.Orders);
        Assert.Equal(TimeSpan.FromSeconds(3).Ticks, task.RunTicks);
    }

    [Fact]
    public void An_output_that_comes_after_the_run_timeout_is_too_late()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", Policy(run: 1));
        _harness.Advance(TimeSpan.FromSeconds(1));
        _harness.Report(worker, task);
        Assert.Equal(TaskState.TimedOut, task.State);
        Assert.Null(task.Output);
    }

    [Fact]
    public void A_total_timeout_ends_a_queued_task()
    {
        var task = _harness.Submit("cpu", Policy(total: 3));
        _harness.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal((TaskState.TimedOut, FailureReason.TotalTimeout, CancelRung.BeforeStart),
            (task.State, task.Failure!.Reason, task.Failure.Rung));
        _harness.Join("w#1");
        Assert.Empty(_harness.Effects.Assignments);
    }

    [Fact]
    public void A_total_timeout_ends_a_running_task()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", Policy(run: 60, total: 3));
        _harness.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal([task.Id], _harness.Signalled(SignalKind.Cancel));
        _harness.ReportCancelled(worker, task);
        Assert.Equal(FailureReason.TotalTimeout, task.Failure!.Reason);
    }

    [Fact]
    public void A_total_timeout_spans_all_attempts_and_their_backoff()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit(
            "cpu", Policy(total: 3) with { Retry = new RetryRule(9, TimeSpan.FromSeconds(2), 1, TimeSpan.FromSeconds(2), false) });
        _harness.ReportThrow(worker, task);
        _harness.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((TaskState.Running, 2), (task.State, task.Attempt));
        _harness.ReportThrow(worker, task);
        Assert.Equal(TaskState.Queued, task.State);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((TaskState.TimedOut, FailureReason.TotalTimeout), (task.State, task.Failure!.Reason));
    }

    [Fact]
    public void A_total_timeout_ends_a_task_that_waits_for_a_dependency()
    {
        _harness.Join("w#1");
        var first = _harness.Submit("cpu");
        var task = _harness.Submit("cpu", Policy(total: 1) with { DependsOn = [first.Id] });
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(FailureReason.TotalTimeout, task.Failure!.Reason);
    }

    [Fact]
    public void A_timeout_that_is_decided_stays_the_reason_when_a_cancel_follows()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", Policy(run: 1));
        _harness.Advance(TimeSpan.FromSeconds(1));
        _harness.Cancel(task);
        Assert.Empty(_harness.Effects.Signals);
        _harness.ReportCancelled(worker, task);
        Assert.Equal(TaskState.TimedOut, task.State);
    }

    [Fact]
    public void A_clock_that_goes_back_does_not()
    {
        _harness.Join("w#1", recordsFlight: false);
        _harness.Submit("cpu");
        var task = _harness.Submit("cpu", Policy(queue: 1));
        _harness.Advance(TimeSpan.FromSeconds(-5));
        var later = _harness.Submit("cpu");
        Assert.Equal(task.AcceptedAt, later.AcceptedAt);
        _harness.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(TaskState.TimedOut, task.State);
    }
}
