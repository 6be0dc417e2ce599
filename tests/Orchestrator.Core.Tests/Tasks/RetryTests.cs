using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>What is retried, when, and how often.</summary>
public sealed class RetryTests
{
    private static readonly RetryRule Rule = new(
        4, TimeSpan.FromMilliseconds(100), 3, TimeSpan.FromMilliseconds(500), RetryWorkerLost: false);

    private readonly EngineHarness _harness = new();

    [Fact]
    public void The_backoff_grows_by_its_multiplier_up_to_its_cap()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", TaskPolicy.Default with { Retry = Rule });
        foreach (var wait in new[] { 100, 300, 500 })
        {
            _harness.ReportThrow(worker, task);
            Assert.Equal(TaskState.Queued, task.State);
            Assert.Equal(_harness.Now + TimeSpan.FromMilliseconds(wait), _harness.Engine.NextDeadline);
            _harness.Advance(TimeSpan.FromMilliseconds(wait - 1));
            Assert.Equal(TaskState.Queued, task.State);
            _harness.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(TaskState.Running, task.State);
        }

        Assert.Equal(4, task.Attempt);
        _harness.ReportThrow(worker, task, "the last");
        Assert.Equal((TaskState.Failed, "the last"), (task.State, task.Failure!.Message));
        Assert.Equal([1, 2, 3], task.EarlierAttempts.Select(attempt => attempt.Number));
        Assert.All(task.EarlierAttempts, attempt => Assert.Equal(TimeSpan.FromMilliseconds(1).Ticks, attempt.RunTicks));
        Assert.Equal(3, _harness.View.Tally.Retried);
        Assert.Equal(1, _harness.View.Tally.EndedTotal);
    }

    /// <summary>The history of attempts counts against the memory budget while it is kept, and leaves it with the task.</summary>
    [Fact]
    public void A_forgotten_task_leaves_nothing_in_the_memory_budget()
    {
        var worker = _harness.Join("w#1");
        var before = _harness.View.KeptBytes;
        var task = _harness.Submit("cpu", TaskPolicy.Default with { Retry = Rule, ResultTtl = TimeSpan.FromSeconds(1) });
        for (var attempt = 1; attempt < Rule.MaxAttempts; attempt++)
        {
            _harness.ReportThrow(worker, task);
            _harness.Advance(Rule.MaxBackoff);
        }

        _harness.ReportThrow(worker, task);
        Assert.True(_harness.View.KeptBytes > before);
        _harness.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(_harness.View.Find(task.Id));
        Assert.Equal(before, _harness.View.KeptBytes);
    }

    [Fact]
    public void A_retried_task_that_succeeds_has_succeeded()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", TaskPolicy.Default with { Retry = Rule });
        _harness.ReportThrow(worker, task);
        _harness.Advance(TimeSpan.FromMilliseconds(100));
        var assignment = Assert.Single(_harness.Effects.Assignments);
        Assert.Equal((2, "input"), (assignment.Attempt, assignment.Input));
        _harness.Report(worker, task);
        Assert.Equal((TaskState.Succeeded, 2), (task.State, task.Attempt));
        Assert.Null(task.Failure);
    }

    [Theory]
    [InlineData(FailureReason.Invalid)]
    [InlineData(FailureReason.LimitExceeded)]
    [InlineData(FailureReason.WorkerLost)]
    public void What_another_attempt_would_not_mend_is_not_tried_again(FailureReason reason)
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", TaskPolicy.Default with { Retry = Rule });
        _harness.Report(worker, task, new TaskFailure(reason, "no"));
        Assert.True(task.HasEnded);
        Assert.Equal(1, task.Attempt);
    }

    [Fact]
    public void A_cancelled_task_is_not_tried_again()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", TaskPolicy.Default with { Retry = Rule });
        _harness.Cancel(task);
        _harness.ReportThrow(worker, task);
        Assert.Equal((TaskState.Cancelled, 1), (task.State, task.Attempt));
    }

    [Fact]
    public void A_cancel_ends_the_backoff()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", TaskPolicy.Default with { Retry = Rule });
        _harness.ReportThrow(worker, task);
        _harness.Cancel(task);
        Assert.Equal(TaskState.Cancelled, task.State);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(_harness.Effects.Assignments);
    }

    [Fact]
    public void A_run_timeout_is_tried_again()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", TaskPolicy.Default with { Retry = Rule, RunTimeout = TimeSpan.FromSeconds(1) });
        _harness.Advance(TimeSpan.FromSeconds(1));
        _harness.ReportCancelled(worker, task);
        Assert.Equal(TaskState.Queued, task.State);
        _harness.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal((TaskState.Running, 2), (task.State, task.Attempt));
        // The second attempt has a run timeout of its own.
        Assert.Equal(_harness.Now + TimeSpan.FromSeconds(1), _harness.Engine.NextDeadline);
    }

    [Fact]
    public void A_cancel_after_a_run_timeout_is_followed_by_no_other_attempt()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu", TaskPolicy.Default with { Retry = Rule, RunTimeout = TimeSpan.FromSeconds(1) });
        _harness.Advance(TimeSpan.FromSeconds(1));
        _harness.Cancel(task);
        Assert.Equal([task.Id], _harness.Effects.Cancelled);
        _harness.ReportCancelled(worker, task);
        Assert.Equal((TaskState.Cancelled, 1), (task.State, task.Attempt));
    }

    [Fact]
    public void The_queue_timeout_of_a_retry_counts_from_the_end_of_its_backoff()
    {
        var worker = _harness.Join("w#1", recordsFlight: false);
        var task = _harness.Submit("cpu", TaskPolicy.Default with { Retry = Rule, QueueTimeout = TimeSpan.FromMilliseconds(50) });
        _harness.ReportThrow(worker, task);
        _harness.Submit("cpu");
        _harness.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(TaskState.Queued, task.State);
        Assert.Equal(_harness.Now + TimeSpan.FromMilliseconds(50), _harness.Engine.NextDeadline);
        _harness.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal(FailureReason.QueueTimeout, task.Failure!.Reason);
    }

    [Fact]
    public void Deaths_are_tried_again_only_where_asked_and_the_last_quarantines()
    {
        var rule = new RetryRule(3, TimeSpan.Zero, 1, TimeSpan.Zero, RetryWorkerLost: true);
        var task = _harness.Submit("cpu", TaskPolicy.Default with { Retry = rule });
        for (var death = 1; death <= 3; death++)
        {
            var worker = _harness.Join($"w#{death}");
            _harness.Advance(TimeSpan.Zero);
            Assert.Equal((TaskState.Running, death), (task.State, task.Attempt));
            _harness.Kill(worker, [1]);
        }

        Assert.Equal((TaskState.WorkerLost, FailureReason.Quarantined), (task.State, task.Failure!.Reason));
        Assert.Equal(["last words"], task.Failure.PostMortem!.LastStandardErrorLines);
        Assert.Equal(2, task.EarlierAttempts.Count);
        Assert.All(task.EarlierAttempts, attempt => Assert.Equal(FailureReason.WorkerLost, attempt.Failure.Reason));
    }
}
