using Orchestrator.Core.Common;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;
using Orchestrator.Core.Tests.Objects;

namespace Orchestrator.Core.Tests.Budgets;

/// <summary>Part 5, 16: what a task holds besides its payload is small, or is counted.</summary>
[Collection(nameof(MeasuresTheHeap))]
public sealed class CountedBytesTests
{
    private readonly MemoryBudget _budget = new(100_000_000);
    private readonly TaskEngineOptions _options = new();

    /// <summary>
    /// Part 5, 16: a task with an unknown handler takes no more memory than is counted for it, whether ended, waiting or restored from the
    /// journal.
    /// </summary>
    [Theory]
    [InlineData("ended")]
    [InlineData("waiting")]
    [InlineData("restored")]
    public void An_unknown_handler_takes_what_it_counts_for(string how)
    {
        const int Tasks = 20_000;
        var engine = new TaskEngine(_options, _budget);
        var time = TimeSpan.FromSeconds(1);
        if (how == "ended")
            engine.Apply(new TaskCommand.WorkerJoined(Worker(), [new HandlerOffer("known", WorkKind.Cpu, null)]), time, new TaskEffects());
        var names = Enumerable.Range(0, Tasks).Select(i => $"unknown-{i}").ToArray();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        if (how == "restored")
        {
            engine.Restore(
                names.Select((name, i) => new RestoredTask(
                    i + 1, new TaskSubmission(name, TaskPolicy.Default, null, 0), 0)
                { Attempts = [] }), [], time, new TaskEffects());
        }
        else
        {
            foreach (var name in names)
                engine.Apply(
                    new TaskCommand.Submit([new TaskSubmission(name, TaskPolicy.Default, null, 0)], null), time, new TaskEffects());
        }

        var taken = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(taken < 1.2 * engine.View.KeptBytes,
            $"{taken / Tasks} bytes for each task, of which {engine.View.KeptBytes / Tasks} count");
        Assert.InRange(engine.View.KeptBytes / Tasks, 400, 1_200);
        GC.KeepAlive(names);
    }

    /// <summary>
    /// Part 5, 16: a task's own options count from its acceptance until its result is removed, also against its client's quota.
    /// </summary>
    [Fact]
    public void Options_count_until_the_task_is_forgotten()
    {
        var engine = new TaskEngine(_options, _budget);
        var client = new ClientTaskQuota("one", 1);
        var policy = TaskPolicy.Default with { KeptBytes = 50_000, ResultTtl = TimeSpan.FromSeconds(10) };
        engine.Apply(
            new TaskCommand.Submit([new TaskSubmission("x", policy, null, 0)], null) { Client = client }, TimeSpan.Zero, new TaskEffects());
        Assert.InRange(_budget.Used, 50_000, 51_500);
        Assert.InRange(client.InputBytes, 50_000, 51_500);
        engine.Apply(new TaskCommand.CancelAll(), TimeSpan.FromSeconds(1), new TaskEffects());
        Assert.InRange(_budget.Used, 50_000, 52_000);
        Assert.Equal(0, client.InputBytes);
        engine.Tick(TimeSpan.FromSeconds(20), new TaskEffects());
        Assert.Equal(0, _budget.Used);
    }

    /// <summary>Part 5, 16: a task's events count until it is forgotten, and are dropped when there is no room.</summary>
    [Fact]
    public void Events_of_a_task_count_and_give_way()
    {
        var engine = new TaskEngine(_options, _budget);
        var time = TimeSpan.FromSeconds(1);
        var effects = new TaskEffects();
        engine.Apply(new TaskCommand.WorkerJoined(Worker(), [new HandlerOffer("known", WorkKind.Cpu, null)]), time, effects);
        var worker = effects.Joined!;
        engine.Apply(new TaskCommand.Submit([new TaskSubmission("known", TaskPolicy.Default, null, 0)], null), time, effects);
        var task = effects.Submitted[0].Task!;
        var before = _budget.Used;
        Report(new AttemptUpdate(task.Id, 1, TaskEventKind.Log, new object(), 10_000), 10);
        Assert.InRange(_budget.Used - before, 100_000, 102_000);
        // Leaves too little room.
        _budget.Add(_budget.Limit - _budget.Used - 5_000);
        Report(new AttemptUpdate(task.Id, 1, TaskEventKind.Log, new object(), 10_000), 1);
        Assert.True(_budget.Used <= _budget.Limit);
        engine.Apply(new TaskCommand.Report(worker, [new AttemptReport(task.Id, 1, null, 0, null, 1)]), time, new TaskEffects());
        Assert.Equal(TaskState.Succeeded, task.State);

        void Report(AttemptUpdate news, int times) =>
            engine.Apply(new TaskCommand.Report(worker, []) { Updates = [.. Enumerable.Repeat(news, times)] }, time, new TaskEffects());
    }

    /// <summary>Part 5, 16: errors of attempts count, and a task that is retried without limit keeps a hundred of them.</summary>
    [Fact]
    public void Errors_of_attempts_count_and_are_bounded()
    {
        var engine = new TaskEngine(_options, _budget);
        var time = TimeSpan.FromSeconds(1);
        var effects = new TaskEffects();
        engine.Apply(new TaskCommand.WorkerJoined(Worker(), [new HandlerOffer("known", WorkKind.Cpu, null)]), time, effects);
        var worker = effects.Joined!;
        var policy = TaskPolicy.Default with { Retry = new RetryRule(1_000, TimeSpan.Zero, 1, TimeSpan.Zero, false) };
        engine.Apply(new TaskCommand.Submit([new TaskSubmission("known", policy, null, 0)], null), time, effects);
        var task = effects.Submitted[0].Task!;
        var before = _budget.Used;
        for (var attempt = 1; attempt < 400; attempt++)
        {
            var failure = new TaskFailure(FailureReason.HandlerFailed, "no") { StackTrace = new string('s', 5_000) };
            engine.Apply(
                new TaskCommand.Report(worker, [new AttemptReport(task.Id, attempt, null, 0, failure, 1)]), time, new TaskEffects());
            engine.Tick(time, new TaskEffects());
        }

        Assert.Equal(400, task.Attempt);
        Assert.Equal([1, .. Enumerable.Range(301, 99)], task.EarlierAttempts.Select(attempt => attempt.Number));
        Assert.InRange(_budget.Used - before, 100 * 10_000, 100 * 11_000 + 130_000);
    }

    /// <summary>Part 5, 16: request ids are bounded in bytes; the oldest are forgotten first.</summary>
    [Fact]
    public void Request_ids_count_and_are_bounded_in_bytes()
    {
        var engine = new TaskEngine(_options with { MaxRequestIdBytes = 100_000 }, _budget);
        for (var i = 0; i < 2_000; i++)
            engine.Apply(new TaskCommand.Submit(
                [new TaskSubmission("x", TaskPolicy.Default, null, 0, 0, $"{i:D200}")], null), TimeSpan.Zero, new TaskEffects());
        Assert.Equal(200, engine.View.RequestIdCount);
        var effects = new TaskEffects();
        engine.Apply(new TaskCommand.Submit(
            [new TaskSubmission("x", TaskPolicy.Default, null, 0, 0, $"{1_999:D200}")], null), TimeSpan.Zero, effects);
        Assert.Equal(2_000, effects.Submitted[0].Task!.Id);
    }

    private static WorkerDescription Worker() => new("worker-1#1", PlacementPolicy.WorkerProcess, 1, 10, 10, 100, RecordsFlight: false);
}
