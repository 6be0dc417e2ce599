using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>Limits on tasks and bytes, and the rejection of a whole batch or of one task.</summary>
public sealed class LimitTests
{
    private static TaskFailure? Refusal(EngineHarness harness, int bytes = 5)
    {
        harness.Apply(new TaskCommand.Submit([EngineHarness.Task("cpu") with { InputBytes = bytes }], null));
        return Assert.Single(harness.Effects.Submitted).Refusal;
    }

    [Fact]
    public void Unfinished_tasks_and_kept_results_count_against_the_limit_of_tasks()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxTasks = 2 });
        var worker = harness.Join("w#1");
        var first = harness.Submit("cpu");
        harness.Submit("cpu");
        var refusal = Refusal(harness);
        Assert.Equal(FailureReason.LimitExceeded, refusal!.Reason);
        Assert.Contains("(tasks)", refusal.Message, StringComparison.Ordinal);
        harness.Report(worker, first);
        Assert.NotNull(Refusal(harness));
        harness.Advance(TimeSpan.FromMinutes(10));
        Assert.Null(Refusal(harness));
    }

    [Fact]
    public void Delivered_results_do_not_count()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxTasks = 1 });
        var worker = harness.Join("w#1");
        harness.Report(worker, harness.Submit("cpu", owner: new RecordingOwner()));
        Assert.Null(Refusal(harness));
    }

    [Fact]
    public void Inputs_and_kept_outputs_count_against_the_limit_of_bytes()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxPayloadBytes = 20 });
        var worker = harness.Join("w#1");
        var task = harness.Submit("cpu");
        Assert.Equal(5, harness.View.PayloadBytes);
        Assert.Null(Refusal(harness, 15));
        var refusal = Refusal(harness, 1);
        Assert.Equal(FailureReason.LimitExceeded, refusal!.Reason);
        Assert.Contains("(payload_bytes_total)", refusal.Message, StringComparison.Ordinal);
        // Its input of 5 bytes becomes an output of 6.
        harness.Report(worker, task);
        Assert.Equal(21, harness.View.PayloadBytes);
    }

    [Fact]
    public void All_or_none_accepts_nothing_when_one_is_refused()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxTasks = 2 });
        harness.Apply(new TaskCommand.Submit(
            [.. Enumerable.Range(0, 3).Select(i => EngineHarness.Task("cpu", tag: (ulong)i))], null, AllOrNone: true));
        Assert.Equal([true, true, false], harness.Effects.Submitted.Select(outcome => outcome.Refusal is null));
        Assert.All(harness.Effects.Submitted, outcome => Assert.Null(outcome.Task));
        Assert.Equal(0, harness.View.Unfinished);
        harness.Apply(new TaskCommand.Submit([EngineHarness.Task("cpu"), EngineHarness.Task("cpu")], null, AllOrNone: true));
        Assert.Equal(2, harness.View.Unfinished);
        Assert.All(harness.Effects.Submitted, outcome => Assert.NotNull(outcome.Task));
    }

    [Fact]
    public void All_or_none_adds_up_the_bytes_of_the_batch()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxPayloadBytes = 12 });
        harness.Apply(new TaskCommand.Submit([.. Enumerable.Range(0, 3).Select(_ => EngineHarness.Task("cpu"))], null, AllOrNone: true));
        Assert.Equal([true, true, false], harness.Effects.Submitted.Select(outcome => outcome.Refusal is null));
        Assert.Equal(0, harness.View.PayloadBytes);
    }

    [Fact]
    public void Otherwise_each_task_is_accepted_or_refused_by_itself()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxTasks = 2 });
        harness.Apply(new TaskCommand.Submit([.. Enumerable.Range(0, 3).Select(i => EngineHarness.Task("cpu", tag: (ulong)i))], null));
        Assert.Equal([true, true, false], harness.Effects.Submitted.Select(outcome => outcome.Task is not null));
        Assert.Equal([0UL, 1UL, 2UL], harness.Effects.Submitted.Select(outcome => outcome.Tag));
    }

    [Fact]
    public void A_draining_engine_takes_nothing_new_and_finishes_what_it_has()
    {
        var harness = new EngineHarness();
        var worker = harness.Join("w#1", recordsFlight: false);
        var running = harness.Submit("cpu");
        var queued = harness.Submit("cpu");
        harness.Apply(new TaskCommand.Drain());
        Assert.True(harness.View.IsDraining);
        Assert.Equal(FailureReason.Draining, Refusal(harness)!.Reason);
        harness.Report(worker, running);
        harness.Report(worker, queued);
        Assert.Equal(TaskState.Succeeded, queued.State);
    }
}
