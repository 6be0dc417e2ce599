using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>A bounded number of running tasks per concurrency key, over all workers.</summary>
public sealed class ConcurrencyKeyTests
{
    private readonly EngineHarness _harness = new();

    private static TaskPolicy Key(string key = "db", int limit = 2, int priority = 0) =>
        TaskPolicy.Default with { ConcurrencyKey = key, ConcurrencyLimit = limit, Priority = priority };

    [Fact]
    public void The_limit_holds_over_all_workers_and_the_next_starts_when_one_ends()
    {
        var first = _harness.Join("w#1");
        var second = _harness.Join("w#2");
        var tasks = _harness.SubmitMany(5, "io", Key());
        Assert.Equal(2, first.Outstanding + second.Outstanding);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(TaskState.Running, tasks[i].State);
            _harness.Report(first.Name == tasks[i].WorkerName ? first : second, tasks[i]);
            Assert.Equal(Math.Min(2, 4 - i), tasks.Count(task => task.State == TaskState.Running));
        }
    }

    [Fact]
    public void The_permit_of_a_task_that_cannot_be_stopped_is_back_only_when_its_worker_is_dead()
    {
        var first = _harness.Join("w#1");
        _harness.Join("w#2");
        var stubborn = _harness.Submit("cpu", Key(limit: 1));
        var next = _harness.Submit("cpu", Key(limit: 1));
        _harness.Cancel(stubborn, force: true);
        Assert.Equal((TaskState.Cancelled, TaskState.Queued), (stubborn.State, next.State));
        _harness.Kill(first, recorder: null);
        Assert.Equal((TaskState.Running, "w#2"), (next.State, next.WorkerName));
    }

    [Fact]
    public void In_process_it_is_back_when_the_code_returns()
    {
        var worker = _harness.Join("", cpu: 2, placement: PlacementPolicy.Threads);
        var policy = Key(limit: 1) with { Placement = PlacementPolicy.Threads };
        var stubborn = _harness.Submit("cpu", policy);
        var next = _harness.Submit("cpu", policy);
        _harness.Cancel(stubborn, force: true);
        Assert.Equal((TaskState.Cancelled, TaskState.Queued), (stubborn.State, next.State));
        _harness.Report(worker, stubborn);
        Assert.Equal(TaskState.Running, next.State);
    }

    [Fact]
    public void Others_do_not_wait_for_a_busy_key()
    {
        _harness.Join("w#1");
        _harness.SubmitMany(3, "io", Key(limit: 1));
        Assert.Equal(TaskState.Running, _harness.Submit("io").State);
        Assert.Equal(TaskState.Running, _harness.Submit("io", Key("other", 1)).State);
    }

    [Fact]
    public void Waiters_of_a_key_start_by_priority()
    {
        var worker = _harness.Join("w#1");
        var running = _harness.Submit("io", Key(limit: 1));
        var low = _harness.Submit("io", Key(limit: 1));
        var high = _harness.Submit("io", Key(limit: 1, priority: 5));
        _harness.Report(worker, running);
        Assert.Equal((TaskState.Queued, TaskState.Running), (low.State, high.State));
    }

    [Fact]
    public void The_limit_last_given_holds()
    {
        var worker = _harness.Join("w#1");
        var first = _harness.Submit("io", Key(limit: 1));
        var parked = _harness.SubmitMany(3, "io", Key(limit: 1));
        var raises = _harness.Submit("io", Key(limit: 3));
        // The end of an older task with an older limit must neither restore that limit nor start fewer tasks than now may run.
        _harness.Report(worker, first);
        Assert.Equal(3, parked.Append(raises).Count(task => task.State == TaskState.Running));
    }

    [Fact]
    public void A_lowered_limit_lets_what_runs_go_on()
    {
        var worker = _harness.Join("w#1");
        var running = _harness.SubmitMany(3, "io", Key(limit: 3));
        var next = _harness.Submit("io", Key(limit: 1));
        _harness.Report(worker, running[0]);
        _harness.Report(worker, running[1]);
        Assert.Equal(TaskState.Queued, next.State);
        _harness.Report(worker, running[2]);
        Assert.Equal(TaskState.Running, next.State);
    }

    [Fact]
    public void A_permit_comes_back_with_a_cancel_a_failure_and_a_death()
    {
        var worker = _harness.Join("w#1");
        var tasks = _harness.SubmitMany(4, "io", Key(limit: 1));
        _harness.Cancel(tasks[0]);
        _harness.ReportCancelled(worker, tasks[0]);
        Assert.Equal(TaskState.Running, tasks[1].State);
        _harness.ReportThrow(worker, tasks[1]);
        Assert.Equal(TaskState.Running, tasks[2].State);
        var recorder = new byte[2_048];
        recorder[tasks[2].Slot] = FlightRecord.Started;
        _harness.Kill(worker, recorder);
        _harness.Join("w#2");
        Assert.Equal(TaskState.Running, tasks[3].State);
    }

    [Fact]
    public void A_retry_gives_its_permit_to_others_while_it_backs_off()
    {
        var worker = _harness.Join("w#1");
        var retried = _harness.Submit(
            "io", Key(limit: 1) with { Retry = new RetryRule(2, TimeSpan.FromSeconds(1), 1, TimeSpan.FromSeconds(1), false) });
        var next = _harness.Submit("io", Key(limit: 1));
        _harness.ReportThrow(worker, retried);
        Assert.Equal(TaskState.Running, next.State);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TaskState.Queued, retried.State);
        _harness.Report(worker, next);
        Assert.Equal(TaskState.Running, retried.State);
    }

    [Fact]
    public void A_waiter_that_was_promised_the_permit_and_is_cancelled_passes_it_on()
    {
        var worker = _harness.Join("w#1");
        var tasks = _harness.SubmitMany(3, "io", Key(limit: 1));
        // Without a worker the second task has its permit but cannot run.
        _harness.Apply(new TaskCommand.WorkerDraining(worker));
        _harness.Report(worker, tasks[0]);
        Assert.Equal(TaskState.Queued, tasks[1].State);
        _harness.Cancel(tasks[1]);
        _harness.Join("w#2");
        Assert.Equal(TaskState.Running, tasks[2].State);
    }

    [Fact]
    public void A_waiting_task_can_be_cancelled_and_keeps_its_timeouts()
    {
        _harness.Join("w#1");
        _harness.Submit("io", Key(limit: 1));
        var cancelled = _harness.Submit("io", Key(limit: 1));
        var expiring = _harness.Submit("io", Key(limit: 1) with { QueueTimeout = TimeSpan.FromSeconds(1) });
        _harness.Cancel(cancelled);
        Assert.Equal(TaskState.Cancelled, cancelled.State);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(FailureReason.QueueTimeout, expiring.Failure!.Reason);
    }

    [Fact]
    public void A_task_with_a_key_is_never_sent_ahead()
    {
        var worker = _harness.Join("w#1");
        _harness.Submit("cpu");
        _harness.Submit("cpu", Key(limit: 1));
        Assert.Equal(0, worker.Prefetched);
    }
}
