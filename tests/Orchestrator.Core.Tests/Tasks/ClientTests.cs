using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>Clients share fairly without configuration, and each has its own limits.</summary>
public sealed class ClientTests
{
    private readonly ClientTaskQuota _greedy = new("greedy", 1);
    private readonly ClientTaskQuota _modest = new("modest", 2);

    private static List<TaskFailure?> Submit(
        EngineHarness harness, ClientTaskQuota? client, int count, TaskPolicy? policy = null, int bytes = 5, bool allOrNone = false)
    {
        harness.Apply(new TaskCommand.Submit([.. Enumerable.Range(0, count).Select(
            i => EngineHarness.Task("cpu", policy, tag: (ulong)i) with { InputBytes = bytes })], null, allOrNone)
        {
            Client = client,
        });
        return [.. harness.Effects.Submitted.Select(outcome => outcome.Refusal)];
    }

    private static List<TaskRecord> Run(EngineHarness harness, WorkerNode worker, int count)
    {
        var order = new List<TaskRecord>();
        for (var i = 0; i < count && worker.Lanes[0].First is { } task; i++)
        {
            order.Add(task);
            harness.Report(worker, task);
        }

        return order;
    }

    [Fact]
    public void A_client_with_ten_times_the_tasks_leaves_the_other_its_half()
    {
        // Without a flight recorder nothing is sent ahead, so that the order of assignment is the order of starting.
        var harness = new EngineHarness(new TaskEngineOptions { Aging = TimeSpan.Zero });
        var worker = harness.Join("w#1", recordsFlight: false);
        Submit(harness, _greedy, 1_000);
        Submit(harness, _modest, 100);
        var first = Run(harness, worker, 200);
        // One task was already running when the other client came.
        Assert.InRange(first.Count(task => task.Client == _modest), 99, 100);
        Run(harness, worker, int.MaxValue);
        Assert.Equal((0, 0L, 0, 0L), (_greedy.Unfinished, _greedy.InputBytes, _modest.Unfinished, _modest.InputBytes));
    }

    [Fact]
    public void Within_one_client_tasks_run_first_come_first_served_and_a_key_of_their_own_goes_before_the_client()
    {
        var harness = new EngineHarness(new TaskEngineOptions { Aging = TimeSpan.Zero });
        var worker = harness.Join("w#1", recordsFlight: false);
        var shared = TaskPolicy.Default with { FairnessKey = "shared" };
        Submit(harness, _greedy, 50, shared);
        Submit(harness, _modest, 50, shared);
        // One fairness key is one queue, whichever client submitted.
        Assert.Equal(Enumerable.Range(1, 100).Select(id => (long)id), Run(harness, worker, 100).Select(task => task.Id));
    }

    [Fact]
    public void Unfinished_tasks_of_one_client_are_bounded_and_others_are_not_touched()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxTasksPerClient = 3 });
        var worker = harness.Join("w#1");
        var refusals = Submit(harness, _greedy, 5);
        Assert.Equal([true, true, true, false, false], refusals.Select(refusal => refusal is null));
        Assert.Equal((FailureReason.LimitExceeded, "greedy"), (refusals[4]!.Reason, refusals[4]!.Subject));
        Assert.Contains("(tasks_per_client) is 3", refusals[4]!.Message, StringComparison.Ordinal);
        Assert.All(Submit(harness, _modest, 3), Assert.Null);
        Assert.All(Submit(harness, null, 10), Assert.Null);
        Run(harness, worker, 1);
        Assert.All(Submit(harness, _greedy, 1), Assert.Null);
        Assert.All(Submit(harness, _greedy, 1), Assert.NotNull);
    }

    [Fact]
    public void Bytes_of_one_client_are_bounded_and_all_or_none_counts_its_own_batch()
    {
        var harness = new EngineHarness(new TaskEngineOptions { MaxPayloadBytesPerClient = 25_000, MaxTasksPerClient = 3 });
        Assert.Equal([true, true, false], Submit(harness, _greedy, 3, bytes: 10_000).Select(refusal => refusal is null));
        // Plus what two tasks have beside a plain record, such as the names of handlers that are not known yet.
        Assert.InRange(_greedy.InputBytes, 20_000, 21_000);
        Assert.Contains(Submit(harness, _modest, 3, bytes: 10_000, allOrNone: true), refusal => refusal is { Subject: "modest" });
        Assert.Contains(Submit(harness, _modest, 4, bytes: 1, allOrNone: true), refusal => refusal is { Subject: "modest" });
        Assert.Equal((0, 0L), (_modest.Unfinished, _modest.InputBytes));
        harness.Apply(new TaskCommand.CancelAll());
        Assert.Equal((0, 0L), (_greedy.Unfinished, _greedy.InputBytes));
    }
}
