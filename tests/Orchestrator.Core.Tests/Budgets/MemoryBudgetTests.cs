using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Pipes;
using Orchestrator.Core.Queues;
using Orchestrator.Core.State;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;
using Orchestrator.Core.Tests.Objects;

namespace Orchestrator.Core.Tests.Budgets;

/// <summary>
/// One memory budget for everything that is kept: new work is rejected in time, accepted work has room, and removed data returns its bytes.
/// </summary>
public sealed class MemoryBudgetTests
{
    private const int Size = 1_000;

    private readonly MemoryBudget _budget = new(100_000);

    [Fact]
    public void Items_messages_and_values_count_until_they_are_removed()
    {
        var harness = new ObjectHarness(
            new ObjectEngineOptions { ReplayWindow = TimeSpan.Zero, State = new StateOptions { HistoryChanges = 0 } }, _budget);
        harness.Apply(new CreateQueue(new QueueSpec("jobs", QueueKind.Fifo))).Get<CreateQueueOutcome>();
        harness.Apply(new CreatePipe(new PipeSpec("line", Duplex: true))).Get<CreatePipeOutcome>();
        var empty = _budget.Used;
        var session = harness.Session();
        var idle = _budget.Used;
        harness.Apply(Put("jobs", 2)).Get<PutOutcome>();
        harness.Apply(new SendMessages("line", PipeEnd.A, [Body])).Get<SendOutcome>();
        harness.Apply(Set("state", "a")).Get<UpdateDictOutcome>();
        Assert.True(_budget.Used >= idle + (4 * Size), $"{_budget.Used} after four times {Size}, and {idle} before");
        // Leased items are no longer in the queue, but their bytes still count.
        var kept = _budget.Used;
        var leased = harness.Apply(new GetItems("jobs", 2) { Leased = true, Session = session }).Get<GetOutcome>();
        Assert.Equal(kept, _budget.Used);
        harness.Apply(new SettleItems("jobs", [leased.Items[0].LeaseId], Settlement.Done) { Session = session });
        Assert.True(_budget.Used <= kept - Size);
        harness.Apply(new DeleteQueue("jobs"));
        harness.Apply(new ClosePipeEnd("line", PipeEnd.A));
        harness.Apply(new ClosePipeEnd("line", PipeEnd.B));
        harness.Apply(new DeleteState(ObjectKind.Dict, "state"));
        harness.End(session);
        Assert.True(_budget.Used <= empty, $"{_budget.Used} is left of {kept}, and it began with {empty}");
    }

    [Fact]
    public void Beyond_it_puts_sends_and_updates_are_refused_and_what_frees_is_not()
    {
        var harness = new ObjectHarness(new ObjectEngineOptions(), _budget);
        harness.Apply(new CreateQueue(new QueueSpec("jobs", QueueKind.Fifo))).Get<CreateQueueOutcome>();
        harness.Apply(new CreatePipe(new PipeSpec("line", Duplex: true))).Get<CreatePipeOutcome>();
        harness.Apply(Set("state", "a")).Get<UpdateDictOutcome>();
        var session = harness.Session();
        ObjectError? refusal = null;
        for (var i = 0; refusal is null; i++)
        {
            Assert.True(i < 100, "it never refused");
            refusal = harness.Apply(Put("jobs", 1)).Outcome as ObjectError;
        }

        Assert.Equal(ObjectErrorReason.LimitExceeded, refusal.Reason);
        Assert.Contains("memory_kept", refusal.Message, StringComparison.Ordinal);
        Assert.InRange(_budget.Used, _budget.PerKindLimit - (3 * Size), _budget.PerKindLimit);
        harness.Apply(new SendMessages("line", PipeEnd.A, [Body])).Fails(ObjectErrorReason.LimitExceeded);
        harness.Apply(Set("state", "b")).Fails(ObjectErrorReason.LimitExceeded);
        harness.Apply(new UpdateList("list", [new ListEdit(ListOperation.Append) { Value = Body }])).Fails(ObjectErrorReason.LimitExceeded);
        // A rejection is not a remembered outcome: the same request succeeds once there is room.
        var again = new PutItems("jobs", [new PutItem(Body)]) { RequestId = "r1" };
        harness.Apply(again).Fails(ObjectErrorReason.LimitExceeded);
        harness.Apply(new UpdateDict("state", [new DictEdit(DictOperation.Delete, "a")])).Get<UpdateDictOutcome>();
        Assert.Equal(5, harness.Apply(new GetItems("jobs", 5) { Session = session }).Get<GetOutcome>().Items.Count);
        Assert.Equal(1, harness.Apply(again).Get<PutOutcome>().Accepted);
    }

    [Fact]
    public void A_put_that_waits_is_kept_too()
    {
        var harness = new ObjectHarness(new ObjectEngineOptions(), _budget);
        harness.Apply(new CreateQueue(new QueueSpec("jobs", QueueKind.Fifo) { MaxItems = 1 })).Get<CreateQueueOutcome>();
        harness.Apply(Put("jobs", 1)).Get<PutOutcome>();
        var before = _budget.Used;
        var waiting = harness.Apply(Put("jobs", 10) with { Timeout = TimeSpan.FromSeconds(60) });
        Assert.True(_budget.Used >= before + (10 * Size));
        harness.Abandon(waiting);
        Assert.Equal(before, _budget.Used);
    }

    [Fact]
    public void A_flood_of_tasks_leaves_room_for_shared_objects_and_for_other_clients()
    {
        var tasks = new TaskEngine(new TaskEngineOptions(), _budget);
        var objects = new ObjectHarness(new ObjectEngineOptions(), _budget);
        objects.Apply(new CreateQueue(new QueueSpec("jobs", QueueKind.Fifo))).Get<CreateQueueOutcome>();
        var (greedy, modest) = (new ClientTaskQuota("greedy", 1), new ClientTaskQuota("modest", 2));
        var own = SubmitUntilRefused(tasks, greedy);
        Assert.Equal("greedy", own.Subject);
        Assert.Contains("memory_kept_per_client", own.Message, StringComparison.Ordinal);
        var all = SubmitUntilRefused(tasks, modest);
        Assert.InRange(tasks.View.KeptBytes, _budget.PerKindLimit - (3 * Size), _budget.PerKindLimit);
        Assert.NotNull(all.Subject);
        SubmitUntilRefused(tasks, new ClientTaskQuota("third", 3));
        objects.Apply(Put("jobs", 5)).Get<PutOutcome>();
        Assert.True(_budget.Used <= _budget.AdmissionLimit);
        tasks.Apply(new TaskCommand.CancelAll(), TimeSpan.FromSeconds(1), new TaskEffects());
        // One record each, and the reason of its end.
        Assert.True(tasks.View.KeptBytes <= 1_000L * (tasks.View.Unfinished + tasks.View.Retained),
            $"{tasks.View.KeptBytes} bytes are kept for {tasks.View.Retained} ended tasks without results");
    }

    private static Content Body => new(new object(), Size);

    private static PutItems Put(string queue, int count) => new(queue, [.. Enumerable.Repeat(new PutItem(Body), count)]);

    private static UpdateDict Set(string dict, string key) => new(dict, [new DictEdit(DictOperation.Set, key) { Value = Body }]);

    private static TaskFailure SubmitUntilRefused(TaskEngine engine, ClientTaskQuota client)
    {
        for (var i = 0; i < 1_000; i++)
        {
            var effects = new TaskEffects();
            engine.Apply(
                new TaskCommand.Submit([new TaskSubmission("nobody", TaskPolicy.Default, new object(), Size, (ulong)i)],
                    null)
                { Client = client }, TimeSpan.FromSeconds(1), effects);
            if (effects.Submitted[0].Refusal is { } refusal)
                return refusal;
        }

        throw new InvalidOperationException("it never refused");
    }
}
