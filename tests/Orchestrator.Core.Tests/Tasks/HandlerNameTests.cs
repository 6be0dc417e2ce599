using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>Unknown handlers, before and after the first worker has reported its handlers.</summary>
public sealed class HandlerNameTests
{
    private readonly EngineHarness _harness = new();

    [Fact]
    public void An_unknown_handler_fails_at_once_and_near_names_are_listed()
    {
        _harness.Join("w#1");
        var task = _harness.Submit("blokcing", owner: new RecordingOwner());
        Assert.Equal((TaskState.Failed, FailureReason.HandlerNotFound), (task.State, task.Failure!.Reason));
        Assert.Contains("did you mean 'blocking'?", task.Failure.Message, StringComparison.Ordinal);
        Assert.Single(_harness.Effects.Deliveries);
        Assert.Equal(0, _harness.View.Tally.Queued);
    }

    [Fact]
    public void One_like_no_other_is_referred_to_the_list()
    {
        _harness.Join("w#1");
        Assert.Contains("ListHandlers", _harness.Submit("something-else").Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Before_the_first_worker_it_waits_and_is_judged_when_that_has_joined()
    {
        var unknown = _harness.Submit("nonsense");
        var known = _harness.Submit("cpu");
        Assert.Equal((TaskState.Queued, TaskState.Queued), (unknown.State, known.State));
        _harness.Join("w#1");
        Assert.Equal(FailureReason.HandlerNotFound, unknown.Failure!.Reason);
        Assert.Equal(TaskState.Running, known.State);
        Assert.Equal((0L, 1L), (known.Handler.Tally.Queued, known.Handler.Tally.Running));
    }

    [Fact]
    public void While_it_waits_for_the_first_worker_it_can_be_cancelled_and_keeps_its_timeouts()
    {
        var cancelled = _harness.Submit("cpu");
        var expiring = _harness.Submit("cpu", TaskPolicy.Default with { QueueTimeout = TimeSpan.FromSeconds(1) });
        _harness.Cancel(cancelled);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((TaskState.Cancelled, TaskState.TimedOut), (cancelled.State, expiring.State));
        _harness.Join("w#1");
        Assert.Empty(_harness.Effects.Assignments);
    }

    [Fact]
    public void What_is_known_stays_known_after_the_last_worker_has_left()
    {
        var worker = _harness.Join("w#1");
        _harness.Kill(worker, []);
        Assert.Equal(TaskState.Queued, _harness.Submit("cpu").State);
        Assert.Equal(FailureReason.HandlerNotFound, _harness.Submit("nonsense").Failure!.Reason);
    }

    [Fact]
    public void A_worker_of_another_build_may_bring_new_handlers()
    {
        _harness.Join("w#1");
        Assert.True(_harness.Submit("fresh").HasEnded);
        new WorkerDescriptionBuilder("w#2") { CpuHandlers = ["fresh"] }.Join(_harness);
        Assert.False(_harness.Submit("fresh").HasEnded);
        Assert.Contains("fresh", _harness.View.HandlersOf(PlacementPolicy.WorkerProcess).Select(handler => handler.Name));
    }

    [Fact]
    public void Each_placement_has_handlers_of_its_own()
    {
        _harness.Join("w#1");
        var task = _harness.Submit("cpu", TaskPolicy.Default with { Placement = PlacementPolicy.Threads });
        Assert.Equal(TaskState.Queued, task.State);
        var executor = new WorkerDescriptionBuilder("") { Placement = PlacementPolicy.Threads }.Join(_harness);
        Assert.Equal((TaskState.Running, 1), (task.State, executor.Running));
    }

    [Theory]
    [InlineData("Fibonaci", "fibonacci")]
    [InlineData("squares", "sum_of_squares")]
    [InlineData("xyz", null)]
    [InlineData("", null)]
    public void Near_names(string name, string? nearest) =>
        Assert.Equal(nearest is null ? [] : [nearest], NameSuggestions.Of(name, ["fibonacci", "sum_of_squares", "sleep"]).Take(1));
}
