using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>
/// Part 5, 8: a task that no living worker group can run fails at once with the group and the reason for giving it up; what another group
/// can run continues.
/// </summary>
public sealed class GivenUpGroupTests
{
    private static readonly WorkerPostMortem Death = new(
        "python-1#7", 42, 1, "", false, 0, TimeSpan.Zero, ["ModuleNotFoundError: no module named 'model'"]);

    private readonly EngineHarness _harness = new(new TaskEngineOptions { WorkerGroups = ["net", "python"] });

    [Fact]
    public void What_waits_for_it_fails_and_so_does_what_comes_later()
    {
        Join("net", "count", "echo");
        var python = Join("python", "train", "echo");
        var running = _harness.Submit("train");
        var waiting = _harness.Submit("train");
        var shared = _harness.Submit("echo");
        _harness.Kill(python, recorder: null);
        Assert.Equal((TaskState.WorkerLost, TaskState.Queued), (running.State, waiting.State));
        GiveUp("python");
        AssertLost(waiting);
        AssertLost(_harness.Submit("train"));
        Assert.Equal(TaskState.Running, shared.State);
        Assert.NotEqual(TaskState.Failed, _harness.Submit("echo").State);
        Assert.NotEqual(TaskState.Failed, _harness.Submit("count").State);
    }

    [Fact]
    public void A_group_that_never_said_what_it_offers_is_the_likely_one_for_an_unknown_name()
    {
        Join("net", "count");
        var waiting = _harness.Submit("train");
        Assert.Equal(TaskState.Queued, waiting.State);
        GiveUp("python");
        AssertLost(waiting);
        AssertLost(_harness.Submit("train"));
        Assert.Equal(TaskState.Running, _harness.Submit("count").State);
    }

    [Fact]
    public void While_another_group_is_still_starting_an_unknown_name_waits_for_it()
    {
        GiveUp("python");
        var waiting = _harness.Submit("count");
        Assert.Equal(TaskState.Queued, waiting.State);
        Join("net", "count");
        Assert.Equal(TaskState.Running, waiting.State);
        AssertLost(_harness.Submit("train"));
    }

    [Fact]
    public void With_every_group_given_up_nothing_waits()
    {
        var early = _harness.Submit("count");
        GiveUp("net");
        Assert.Equal(TaskState.Queued, early.State);
        GiveUp("python");
        Assert.Contains("group 'net' was given up", early.Failure!.Message, StringComparison.Ordinal);
        AssertLost(early);
        AssertLost(_harness.Submit("count"));
    }

    [Fact]
    public void Once_it_is_started_again_its_tasks_wait_and_run()
    {
        Join("net", "count");
        var python = Join("python", "train");
        _harness.Kill(python, recorder: null);
        GiveUp("python");
        _harness.Apply(new TaskCommand.GroupStarting("python"));
        var known = _harness.Submit("train");
        Assert.Equal(TaskState.Queued, known.State);
        Join("python", "train");
        Assert.Equal(TaskState.Running, known.State);
        // A group that never connected may offer a handler of any name.
        var fresh = new EngineHarness(new TaskEngineOptions { WorkerGroups = ["net"] });
        fresh.Apply(new TaskCommand.GroupGivenUp(new GroupLoss("net", "group 'net' was given up", null)));
        fresh.Apply(new TaskCommand.GroupStarting("net"));
        Assert.Equal(TaskState.Queued, fresh.Submit("count").State);
    }

    [Fact]
    public void What_waits_for_a_dependency_or_a_retry_is_told_when_its_turn_has_come()
    {
        var net = Join("net", "count");
        var python = Join("python", "train");
        var first = _harness.Submit("count");
        var dependent = _harness.Submit("train", TaskPolicy.Default with { DependsOn = [first.Id] });
        var retrying = _harness.Submit(
            "train", TaskPolicy.Default with { Retry = new RetryRule(3, TimeSpan.FromSeconds(1), 1, TimeSpan.FromSeconds(1), true) });
        _harness.Kill(python, recorder: null);
        GiveUp("python");
        Assert.Equal((TaskState.Queued, TaskState.Queued), (dependent.State, retrying.State));
        _harness.Report(net, first);
        AssertLost(dependent);
        _harness.Advance(TimeSpan.FromSeconds(1));
        AssertLost(retrying);
    }

    [Fact]
    public void What_waits_for_a_permit_fails_as_well_and_leaves_its_gate()
    {
        Join("net", "count");
        var python = Join("python", "train");
        var keyed = TaskPolicy.Default with { ConcurrencyKey = "gpu", ConcurrencyLimit = 1 };
        var holder = _harness.Submit("count", keyed);
        var gated = _harness.Submit("train", keyed);
        var limited = _harness.Submit("train", TaskPolicy.Default with { RateLimiter = "slow" });
        var dependent = _harness.Submit("count", TaskPolicy.Default with { DependsOn = [gated.Id] });
        Assert.Equal((TaskPhase.AwaitingConcurrency, TaskPhase.AwaitingStartRate), (gated.Phase, limited.Phase));
        _harness.Kill(python, recorder: null);
        GiveUp("python");
        AssertLost(gated);
        AssertLost(limited);
        Assert.Equal(FailureReason.DependencyFailed, dependent.Failure!.Reason);
        Assert.Equal(TaskState.Running, holder.State);
        Assert.Equal(0, _harness.View.Tally.Queued);
    }

    [Fact]
    public void Tasks_in_process_do_not_care()
    {
        GiveUp("net");
        GiveUp("python");
        new WorkerDescriptionBuilder("") { Placement = PlacementPolicy.Async }.Join(_harness);
        Assert.Equal(TaskState.Running, _harness.Submit("cpu", TaskPolicy.Default with { Placement = PlacementPolicy.Async }).State);
    }

    private void GiveUp(string group) =>
        _harness.Apply(new TaskCommand.GroupGivenUp(new GroupLoss(group, $"group '{group}' was given up after 5 early deaths", Death)));

    private static void AssertLost(TaskRecord task)
    {
        Assert.Equal((TaskState.Failed, FailureReason.WorkerLost), (task.State, task.Failure?.Reason));
        Assert.Contains($"no living worker group can run '{task.Handler.Name}': group '", task.Failure!.Message, StringComparison.Ordinal);
        Assert.Same(Death, task.Failure.PostMortem);
    }

    private WorkerNode Join(string group, params string[] handlers) =>
        new WorkerDescriptionBuilder($"{group}-1#1")
        {
            Group = group,
            RecordsFlight = false,
            Offers = [.. handlers.Select(handler => new HandlerOffer(handler, WorkKind.Cpu, null))]
        }
            .Join(_harness);
}
