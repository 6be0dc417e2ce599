using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>
/// Workers that offer different handlers: each task goes to a worker that can run it, and no task waits for another group.
/// </summary>
public sealed class WorkerGroupTests
{
    private readonly EngineHarness _harness = new(new TaskEngineOptions { WorkerGroups = ["net", "python"] });

    [Fact]
    public void A_task_goes_to_the_group_that_offers_its_handler()
    {
        Join("net-1#1", "net", "count", "echo");
        Join("python-1#2", "python", "train");
        Assert.Equal("python-1#2", _harness.Submit("train").WorkerName);
        Assert.Equal("net-1#1", _harness.Submit("count").WorkerName);
    }

    [Fact]
    public void A_busy_group_keeps_only_its_own_tasks_waiting()
    {
        Join("net-1#1", "net", "count");
        var python = Join("python-1#2", "python", "train");
        var running = _harness.Submit("train", Priority(9));
        var waiting = _harness.Submit("train", Priority(9));
        Assert.Equal(TaskState.Running, _harness.Submit("count").State);
        Assert.Equal(TaskState.Queued, waiting.State);
        _harness.Report(python, running);
        Assert.Equal(TaskState.Running, waiting.State);
    }

    [Fact]
    public void What_two_groups_offer_runs_in_either()
    {
        Join("net-1#1", "net", "count", "echo");
        Join("python-1#2", "python", "train", "echo");
        var tasks = _harness.SubmitMany(3, "echo");
        Assert.Equal(["net-1#1", "python-1#2"], tasks.Take(2).Select(task => task.WorkerName).Order());
        Assert.Equal(TaskState.Queued, tasks[2].State);
        Assert.Equal(["net", "python"], Handler("echo").Groups);
        Assert.Equal(["python"], Handler("train").Groups);
    }

    [Fact]
    public void A_worker_takes_the_most_urgent_of_what_it_can_run_whoever_else_could()
    {
        var net = Join("net-1#1", "net", "count", "echo");
        var python = Join("python-1#2", "python", "train", "echo");
        var running = _harness.Submit("count");
        var training = _harness.Submit("train");
        var low = _harness.Submit("count");
        var high = _harness.Submit("echo", Priority(5));
        _harness.Report(net, running);
        Assert.Equal((TaskState.Running, TaskState.Queued), (high.State, low.State));
        _harness.Report(python, training);
        Assert.Equal(TaskState.Queued, low.State);
        _harness.Report(net, high);
        Assert.Equal(TaskState.Running, low.State);
    }

    [Fact]
    public void Tasks_wait_in_one_order_when_another_group_joins_that_offers_their_handler()
    {
        var net = Join("net-1#1", "net", "echo");
        var tasks = _harness.SubmitMany(4, "echo");
        Assert.Equal(3, tasks.Count(task => task.State == TaskState.Queued));
        Join("python-1#2", "python", "echo");
        Assert.Equal("python-1#2", tasks[1].WorkerName);
        _harness.Cancel(tasks[2]);
        _harness.Report(net, tasks[0]);
        Assert.Equal((TaskState.Cancelled, TaskState.Running), (tasks[2].State, tasks[3].State));
        Assert.Equal(0, _harness.View.Tally.Queued);
    }

    [Fact]
    public void An_unknown_name_waits_until_every_group_has_said_what_it_offers()
    {
        Join("net-1#1", "net", "count");
        var train = _harness.Submit("train");
        var unknown = _harness.Submit("trian");
        Assert.Equal((TaskState.Queued, TaskState.Queued), (train.State, unknown.State));
        Join("python-1#2", "python", "train");
        Assert.Equal((TaskState.Running, TaskState.Failed), (train.State, unknown.State));
        Assert.Contains("did you mean 'train'?", unknown.Failure!.Message, StringComparison.Ordinal);
        Assert.Equal(FailureReason.HandlerNotFound, _harness.Submit("coutn").Failure!.Reason);
    }

    [Fact]
    public void What_waits_for_a_group_still_to_come_can_be_cancelled_and_keeps_its_timeouts()
    {
        Join("net-1#1", "net", "count");
        var cancelled = _harness.Submit("train");
        var expiring = _harness.Submit("train", TaskPolicy.Default with { QueueTimeout = TimeSpan.FromSeconds(1) });
        _harness.Cancel(cancelled);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((TaskState.Cancelled, TaskState.TimedOut), (cancelled.State, expiring.State));
    }

    [Fact]
    public void Another_kind_of_work_by_the_same_name_is_not_taken_from_a_second_group()
    {
        new WorkerDescriptionBuilder("net-1#1")
        {
            Group = "net",
            Offers = [new("echo", WorkKind.Io, "net's")],
            RecordsFlight = false
        }.Join(_harness);
        new WorkerDescriptionBuilder("python-1#2")
        {
            Group = "python",
            Offers = [new("echo", WorkKind.Cpu, "python's")],
            RecordsFlight = false
        }.Join(_harness);
        Assert.All(_harness.SubmitMany(10, "echo"), task => Assert.Equal("net-1#1", task.WorkerName));
        Assert.Equal((WorkKind.Io, "net's"), (Handler("echo").Kind, Handler("echo").Description));
        Assert.Equal(TaskState.Queued, _harness.Submit("echo").State);
    }

    [Fact]
    public void A_lost_worker_s_tasks_wait_for_a_successor_of_its_group()
    {
        Join("net-1#1", "net", "count");
        var python = Join("python-1#2", "python", "train");
        var lost = _harness.Submit("train");
        var waiting = _harness.Submit("train");
        _harness.Kill(python, recorder: null);
        Assert.Equal((TaskState.WorkerLost, TaskState.Queued), (lost.State, waiting.State));
        Join("python-1#3", "python", "train");
        Assert.Equal("python-1#3", waiting.WorkerName);
    }

    [Fact]
    public void Work_sent_ahead_is_asked_back_only_for_those_who_can_run_it()
    {
        var net = Join("net-1#1", "net", ahead: true, "count", "echo");
        Join("python-1#2", "python", ahead: true, "train", "echo");
        _harness.Teach(net, TimeSpan.FromMilliseconds(1), "count");
        // The first runs, the second waits for it; the idle worker cannot run the second.
        var counts = _harness.SubmitMany(2, "count");
        Assert.All(counts, task => Assert.Equal("net-1#1", task.WorkerName));
        Assert.True(_harness.Engine.NextDeadline > _harness.Now + TimeSpan.FromMinutes(1), "the question is asked again and again");
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(_harness.Effects.Signals);
        Join("net-2#3", "net", ahead: true, "count", "echo");
        Assert.Equal([counts[1].Id], _harness.Signalled(SignalKind.GiveBack));
    }

    [Fact]
    public void An_affinity_key_binds_in_each_group_by_itself()
    {
        Join("net-1#1", "net", "count");
        Join("python-1#2", "python", "train");
        Join("python-2#3", "python", "train");
        var key = TaskPolicy.Default with { AffinityKey = "model" };
        var first = _harness.Submit("train", key);
        var other = _harness.Submit("count", key);
        var second = _harness.Submit("train", key);
        Assert.Equal(("python-1#2", "net-1#1"), (first.WorkerName, other.WorkerName));
        Assert.Equal(TaskState.Queued, second.State);
        // It waits for its own worker, and other tasks of its group pass it.
        Assert.Equal("python-2#3", _harness.Submit("train").WorkerName);
    }

    private static TaskPolicy Priority(int priority) => TaskPolicy.Default with { Priority = priority };

    private HandlerProfile Handler(string name) =>
        _harness.View.HandlersOf(PlacementPolicy.WorkerProcess).Single(handler => handler.Name == name);

    private WorkerNode Join(string name, string group, params string[] handlers) => Join(name, group, ahead: false, handlers);

    private WorkerNode Join(string name, string group, bool ahead, params string[] handlers) =>
        new WorkerDescriptionBuilder(name)
        {
            Group = group,
            RecordsFlight = ahead,
            Offers = [.. handlers.Select(handler => new HandlerOffer(handler, WorkKind.Cpu, null))]
        }
            .Join(_harness);
}
