using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>Lanes hold less while several clients are served, and the rare task of another client does not wait for room.</summary>
public sealed class SharedLaneTests
{
    private static readonly TaskEngineOptions Options = new();

    private static readonly TaskPolicy Other = TaskPolicy.Default with { FairnessKey = "other" };

    private static (EngineHarness Harness, WorkerNode Worker) Saturated()
    {
        var harness = new EngineHarness(Options);
        var worker = harness.Join("w#1", io: 1_000);
        for (var i = 0; i < 80; i++)
            harness.Teach(worker, TimeSpan.FromMicroseconds(1), "io");
        harness.SubmitMany(3_000, "io");
        return (harness, worker);
    }

    private static void End(EngineHarness harness, WorkerNode worker, int count)
    {
        for (var i = 0; i < count; i++)
            harness.Report(worker, worker.Lanes[1].First!, run: TimeSpan.FromMicroseconds(1));
    }

    [Fact]
    public void The_lane_of_a_single_client_is_full() => Assert.Equal(1_000, Saturated().Worker.Outstanding);

    [Fact]
    public void Beside_another_client_a_lane_holds_less_and_refills_up_to_that()
    {
        var (harness, worker) = Saturated();
        harness.Submit("io", Other);
        End(harness, worker, 1_000);
        Assert.InRange(worker.Outstanding, Options.SharedBacklog, Options.SharedBacklog + 1);
    }

    [Fact]
    public void The_rare_task_of_another_client_is_assigned_at_once_and_urgently()
    {
        var (harness, worker) = Saturated();
        harness.Submit("io", Other);
        End(harness, worker, 1_000);
        harness.Submit("io", Other);
        var assignment = Assert.Single(harness.Effects.Assignments);
        Assert.Equal((true, "other"), (assignment.IsUrgent, assignment.Task.Policy.FairnessKey));
    }

    [Fact]
    public void A_second_after_its_last_task_the_lane_is_full_again()
    {
        var (harness, worker) = Saturated();
        harness.Submit("io", Other);
        End(harness, worker, 1_000);
        harness.Advance(TimeSpan.FromSeconds(2));
        End(harness, worker, 1);
        Assert.Equal(1_000, worker.Outstanding);
    }
}
