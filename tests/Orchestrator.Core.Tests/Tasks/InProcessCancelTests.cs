using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>The cancellation escalation where there is no process to kill.</summary>
public sealed class InProcessCancelTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly EngineHarness _harness = new();

    [Fact]
    public void In_the_coordinators_own_process_nothing_is_killed_and_the_lane_stays_occupied()
    {
        var worker = new WorkerDescriptionBuilder("") { Placement = PlacementPolicy.Sequential }.Join(_harness);
        var policy = TaskPolicy.Default with { Placement = PlacementPolicy.Sequential };
        var stubborn = _harness.Submit("cpu", policy);
        _harness.Cancel(stubborn);
        _harness.Advance(Grace);
        Assert.Equal(TaskState.Cancelled, stubborn.State);
        Assert.Contains("ignores its cancellation", stubborn.Failure!.Message, StringComparison.Ordinal);
        Assert.Empty(_harness.Orders);
        Assert.Equal(1, worker.Outstanding);
        // Its code returns long after, even after its result has expired.
        _harness.Advance(TimeSpan.FromHours(1));
        _harness.Report(worker, stubborn);
        Assert.Equal((TaskState.Cancelled, 0), (stubborn.State, worker.Outstanding));
        _harness.Advance(TimeSpan.FromHours(1));
        Assert.Null(_harness.View.Find(stubborn.Id));
    }

    [Fact]
    public void A_lane_that_an_abandoned_task_occupied_knows_what_is_left_on_it()
    {
        var worker = new WorkerDescriptionBuilder("") { Placement = PlacementPolicy.Sequential }.Join(_harness);
        var policy = TaskPolicy.Default with { Placement = PlacementPolicy.Sequential };
        var stubborn = _harness.Submit("cpu", policy);
        var behind = _harness.Submit("cpu", policy);
        var expected = worker.Lanes[0].BacklogTicks / 2;
        Assert.Equal(1, worker.Prefetched);
        _harness.Cancel(stubborn);
        _harness.Advance(Grace);
        Assert.Equal(Grace.Ticks, stubborn.RunTicks);
        Assert.Equal(Grace.Ticks + expected, worker.Lanes[0].BacklogTicks);
        _harness.Report(worker, stubborn);
        Assert.Equal((TaskState.Running, expected), (behind.State, worker.Lanes[0].BacklogTicks));
    }
}
