using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>Each attempt of a task that names a rate limiter takes one permit before it starts.</summary>
public sealed class RateLimiterOptionTests
{
    private static readonly TaskPolicy s_limited = TaskPolicy.Default with { RateLimiter = "api" };

    private readonly EngineHarness _harness = new();

    [Fact]
    public void Permits_are_asked_for_one_at_a_time_and_each_starts_one_task()
    {
        _harness.Join("w#1");
        var tasks = _harness.SubmitMany(3, "io", s_limited);
        var queue = Asked();
        Assert.Equal("api", queue.RateLimiter);
        for (var i = 0; i < 3; i++)
        {
            Assert.All(tasks.Skip(i), task => Assert.Equal(TaskState.Queued, task.State));
            _harness.Apply(new TaskCommand.PermitGranted(queue));
            Assert.Equal([tasks[i].Id], _harness.Assigned);
            Assert.Equal(i < 2, _harness.Effects.Permits.Count == 1);
        }
    }

    [Fact]
    public void Others_pass_a_task_that_waits_for_a_permit()
    {
        _harness.Join("w#1");
        var limited = _harness.Submit("io", s_limited);
        var other = _harness.Submit("io");
        Assert.Equal((TaskState.Queued, TaskState.Running), (limited.State, other.State));
    }

    [Fact]
    public void While_no_worker_is_free_none_is_asked_for_and_none_saved_up()
    {
        var worker = _harness.Join("w#1");
        var first = _harness.Submit("cpu");
        var limited = _harness.SubmitMany(2, "cpu", s_limited);
        Assert.Empty(_harness.Effects.Permits);
        _harness.Report(worker, first, run: TimeSpan.FromSeconds(1));
        var queue = Asked();
        // Another task takes the worker before the permit arrives.
        var urgent = _harness.Submit("cpu", TaskPolicy.Default with { Priority = 5 });
        _harness.Apply(new TaskCommand.PermitGranted(queue));
        Assert.Equal(TaskState.Queued, limited[0].State);
        Assert.Empty(_harness.Effects.Permits);
        _harness.Report(worker, urgent, run: TimeSpan.FromSeconds(1));
        Assert.Equal(TaskState.Running, limited[0].State);
        Assert.Same(queue, Asked());
    }

    [Fact]
    public void The_permit_of_a_task_that_ends_unstarted_goes_to_the_next_or_back()
    {
        var worker = _harness.Join("w#1");
        var limited = _harness.SubmitMany(2, "cpu", s_limited);
        var queue = Asked();
        var busy = _harness.Submit("cpu");
        _harness.Apply(new TaskCommand.PermitGranted(queue));
        Assert.Equal(TaskState.Queued, limited[0].State);
        _harness.Cancel(limited[0]);
        Assert.Equal(TaskState.Cancelled, limited[0].State);
        Assert.Empty(_harness.Effects.Permits);
        _harness.Cancel(limited[1]);
        Assert.Equal([new PermitOrder(queue, PermitOrderKind.GiveBack)], _harness.Effects.Permits);
        _harness.Report(worker, busy);
        // A task that waits for a permit in vain and has ended when the permit comes.
        var late = _harness.Submit("cpu", s_limited);
        var again = Asked();
        _harness.Cancel(late);
        _harness.Apply(new TaskCommand.PermitGranted(again));
        Assert.Equal([new PermitOrder(again, PermitOrderKind.GiveBack)], _harness.Effects.Permits);
    }

    [Fact]
    public void Every_attempt_takes_one()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit(
            "io", s_limited with { Retry = new RetryRule(2, TimeSpan.FromSeconds(1), 2, TimeSpan.FromSeconds(1), false) });
        _harness.Apply(new TaskCommand.PermitGranted(Asked()));
        _harness.ReportThrow(worker, task);
        _harness.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(TaskState.Queued, task.State);
        _harness.Apply(new TaskCommand.PermitGranted(Asked()));
        Assert.Equal((TaskState.Running, 2), (task.State, task.Attempt));
    }

    [Fact]
    public void Where_the_limiter_is_deleted_the_tasks_that_wait_fail_and_say_so()
    {
        _harness.Join("w#1");
        var tasks = _harness.SubmitMany(2, "io", s_limited);
        _harness.Apply(new TaskCommand.PermitRefused(Asked(), FailureReason.NotFound, "rate limiter 'api' was deleted"));
        Assert.All(tasks, task => Assert.Equal((TaskState.Failed, "rate limiter 'api' was deleted"), (task.State, task.Failure!.Message)));
    }

    [Fact]
    public void A_queue_timeout_passes_while_it_waits()
    {
        _harness.Join("w#1");
        var task = _harness.Submit("io", s_limited with { QueueTimeout = TimeSpan.FromSeconds(1) });
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((TaskState.TimedOut, FailureReason.QueueTimeout), (task.State, task.Failure!.Reason));
    }

    private PermitQueue Asked()
    {
        var order = Assert.Single(_harness.Effects.Permits);
        Assert.Equal(PermitOrderKind.Ask, order.Kind);
        return order.Queue;
    }
}
