using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>Tasks with one affinity key run on one worker while it lives.</summary>
public sealed class AffinityTests
{
    private readonly EngineHarness _harness = new();

    private static TaskPolicy Key(string key = "model", int priority = 0) =>
        TaskPolicy.Default with { AffinityKey = key, Priority = priority };

    [Fact]
    public void The_first_task_binds_its_key_and_the_others_follow()
    {
        var first = _harness.Join("w#1");
        _harness.Join("w#2");
        var tasks = _harness.SubmitMany(6, "io", Key());
        Assert.All(tasks, task => Assert.Equal(first.Name, task.WorkerName));
        Assert.Equal(1, _harness.View.AffinityKeyCount);
    }

    [Fact]
    public void A_task_waits_for_its_busy_worker_and_others_pass_it()
    {
        var first = _harness.Join("w#1", recordsFlight: false);
        _harness.Join("w#2", recordsFlight: false);
        var running = _harness.Submit("cpu", Key());
        var pinned = _harness.Submit("cpu", Key());
        Assert.Equal(TaskState.Queued, pinned.State);
        var other = _harness.Submit("cpu");
        Assert.Equal((TaskState.Running, "w#2"), (other.State, other.WorkerName));
        _harness.Report(first, running);
        Assert.Equal((TaskState.Running, "w#1"), (pinned.State, pinned.WorkerName));
    }

    [Fact]
    public void After_the_death_of_its_worker_a_key_binds_anew()
    {
        var first = _harness.Join("w#1", recordsFlight: false);
        var second = _harness.Join("w#2", recordsFlight: false);
        _harness.Submit("cpu", Key());
        var pinned = _harness.Submit("cpu", Key());
        var alsoPinned = _harness.Submit("cpu", Key());
        _harness.Kill(first, recorder: null);
        Assert.Equal((TaskState.Running, "w#2"), (pinned.State, pinned.WorkerName));
        _harness.Join("w#3", recordsFlight: false);
        Assert.Equal(TaskState.Queued, alsoPinned.State);
        _harness.Report(second, pinned);
        Assert.Equal("w#2", alsoPinned.WorkerName);
    }

    [Fact]
    public void A_draining_worker_lets_its_keys_go()
    {
        var first = _harness.Join("w#1", recordsFlight: false);
        _harness.Submit("cpu", Key());
        var pinned = _harness.Submit("cpu", Key());
        _harness.Join("w#2");
        Assert.Equal(TaskState.Queued, pinned.State);
        _harness.Apply(new TaskCommand.WorkerDraining(first));
        Assert.Equal("w#2", pinned.WorkerName);
    }

    [Fact]
    public void A_pinned_task_can_be_cancelled_and_keeps_its_timeouts()
    {
        _harness.Join("w#1", recordsFlight: false);
        _harness.Submit("cpu", Key());
        var cancelled = _harness.Submit("cpu", Key());
        var expiring = _harness.Submit("cpu", Key() with { QueueTimeout = TimeSpan.FromSeconds(1) });
        _harness.Cancel(cancelled);
        Assert.Equal(CancelRung.BeforeStart, cancelled.Failure!.Rung);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(FailureReason.QueueTimeout, expiring.Failure!.Reason);
    }

    [Fact]
    public void Pinned_tasks_start_by_priority()
    {
        var worker = _harness.Join("w#1", recordsFlight: false);
        var running = _harness.Submit("cpu", Key());
        var low = _harness.Submit("cpu", Key());
        var high = _harness.Submit("cpu", Key(priority: 5));
        _harness.Report(worker, running);
        Assert.Equal((TaskState.Queued, TaskState.Running), (low.State, high.State));
    }

    [Fact]
    public void A_more_urgent_task_without_a_key_goes_before_a_pinned_one()
    {
        var worker = _harness.Join("w#1", recordsFlight: false);
        var running = _harness.Submit("cpu", Key());
        var pinned = _harness.Submit("cpu", Key());
        var urgent = _harness.Submit("cpu", TaskPolicy.Default with { Priority = 5 });
        _harness.Report(worker, running);
        Assert.Equal((TaskState.Running, TaskState.Queued), (urgent.State, pinned.State));
        _harness.Report(worker, urgent);
        Assert.Equal(TaskState.Running, pinned.State);
    }

    [Fact]
    public void A_pinned_task_goes_before_later_ones_of_its_priority()
    {
        var worker = _harness.Join("w#1", recordsFlight: false);
        var running = _harness.Submit("cpu", Key());
        var pinned = _harness.Submit("cpu", Key());
        var later = _harness.Submit("cpu");
        _harness.Report(worker, running);
        Assert.Equal((TaskState.Running, TaskState.Queued), (pinned.State, later.State));
    }

    [Fact]
    public void A_pinned_task_under_a_concurrency_key_waits_for_both()
    {
        var first = _harness.Join("w#1", recordsFlight: false);
        _harness.Join("w#2", recordsFlight: false);
        var gate = TaskPolicy.Default with { ConcurrencyKey = "db" };
        var running = _harness.Submit("cpu", Key());
        var holder = _harness.Submit("cpu", gate);
        var pinned = _harness.Submit("cpu", gate with { AffinityKey = "model" });
        _harness.Report(first, running);
        Assert.Equal(TaskState.Queued, pinned.State);
        _harness.Report(holder.Worker!, holder);
        Assert.Equal((TaskState.Running, "w#1"), (pinned.State, pinned.WorkerName));
    }

    [Fact]
    public void The_keys_are_bounded_and_the_least_recently_used_is_forgotten()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxAffinityKeys = 2 });
        var first = harness.Join("w#1");
        harness.Submit("io", Key("a"));
        harness.Submit("io", Key("b"));
        harness.Submit("io", Key("a"));
        harness.Submit("io", Key("c"));
        Assert.Equal(2, harness.View.AffinityKeyCount);
        harness.Join("w#2");
        Assert.Equal(first.Name, harness.Submit("io", Key("a")).WorkerName);
        Assert.Equal("w#2", harness.Submit("io", Key("b")).WorkerName);
    }

    [Fact]
    public void A_task_that_waits_for_its_worker_keeps_its_key_in_use()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxAffinityKeys = 2 });
        harness.Join("w#1", recordsFlight: false);
        harness.Join("w#2", recordsFlight: false);
        harness.Submit("cpu", Key("a"));
        harness.Submit("cpu", Key("b"));
        harness.Submit("cpu", Key("a"));
        // The third key evicts b, which was used before a, and makes w#1 the busier worker.
        harness.Submit("io", Key("c"));
        Assert.Equal("w#1", harness.Submit("io", Key("a")).WorkerName);
    }
}
