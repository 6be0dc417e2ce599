using System.Text.Json;
using Grpc.Core;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Interop;

/// <summary>
/// What the first release wrote and speaks, kept in <c>tests/Interop/first-release</c>, still works: its journal, its Python worker, and a
/// client of its protos.
/// </summary>
public sealed class FirstReleaseTests(FirstReleaseStubs stubs) : IClassFixture<FirstReleaseStubs>
{
    private static readonly string s_folder = Repository.PathOf("tests", "Interop", "first-release");

    [Theory]
    [InlineData("killed")]
    [InlineData("compacted")]
    public async Task Its_journal_is_restored(string state)
    {
        using var directory = new TemporaryDirectory();
        JournalFolder.Copy(Path.Combine(s_folder, "journal", state), directory.Path);
        var (code, verdict) = await CommandLine.RunAsync("journal", "verify", "--data-dir", directory.Path);
        Assert.True(code == 0, verdict);
        Assert.Contains("3 with 7 items", verdict, StringComparison.Ordinal);
        Assert.Contains("5, of which 3 are unfinished", verdict, StringComparison.Ordinal);

        using var expected = JsonDocument.Parse(await File.ReadAllTextAsync(
            Path.Combine(s_folder, "journal", "expected.json"), TestContext.Current.CancellationToken));
        // Without the handler that it waits for, the retry would end.
        await using var coordinator = await CoordinatorProcess.StartInAsync(
            directory.Path, "--workers", "1", "--hot-spares", "0", "--allow-chaos");
        await AssertQueuesAsync(new(coordinator.Invoker));
        await AssertStateAsync(new(coordinator.Invoker), expected.RootElement.GetProperty("versions"));
        await AssertFencingAsync(coordinator, expected.RootElement.GetProperty("fencing_token").GetUInt64());
        await AssertTasksAsync(coordinator, expected.RootElement.GetProperty("tasks"));
    }

    [Fact]
    public async Task Its_Python_worker_serves_tasks()
    {
        Assert.SkipWhen(stubs.Missing is not null, stubs.Missing ?? "");
        await using var coordinator = await PythonWorkers.StartAsync(stubs);
        var results = await coordinator.StreamAsync(Enumerable.Range(0, 300).Select(i => Specs.Json(
            i % 2 == 0 ? "py_calculate" : "sum_of_squares", $$"""{"n": {{i}}}""", tag: (ulong)i)));
        foreach (var result in results)
        {
            Assert.Equal((TaskState.Succeeded, 1), (result.State, result.Attempt));
            Assert.StartsWith(result.Tag % 2 == 0 ? "python-" : "worker-", result.Worker, StringComparison.Ordinal);
            var sum = result.Tag % 2 == 0 ? result.Output.Json.StructValue.Fields["sum"] : result.Output.Json;
            Assert.Equal(Enumerable.Range(0, (int)result.Tag).Sum(n => (double)n * n), sum.NumberValue);
        }

        Assert.Equal(300, results.Count);
        // From inside a task it calls the coordinator; its errors and its cancellation arrive.
        for (var count = 1; count <= 2; count++)
        {
            var counted = await coordinator.RunAsync(Specs.Json("py_count_word", """{"dict": "words", "word": "to"}"""));
            Assert.Equal(count, counted.Output.Json.NumberValue);
        }

        var wrong = await coordinator.RunAsync(Specs.Json("py_calculate", """{"n": "many"}"""));
        Assert.Equal((ErrorReason.Invalid, "InvalidInput"), (wrong.Error.Reason, wrong.Error.Type));
        var asleep = (await coordinator.SubmitAsync(Specs.Json("py_sleep", """{"ms": 600000}"""))).Single();
        await coordinator.WaitUntilRunningAsync(asleep);
        await coordinator.Tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { asleep } }, Soon);
        Assert.Equal(TaskState.Cancelled, (await coordinator.WaitAsync([asleep])).Single().State);
    }

    [Fact]
    public async Task A_client_of_its_protos_has_the_outcomes_that_it_had()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1");
        using var list = JsonDocument.Parse(await File.ReadAllTextAsync(
            Path.Combine(s_folder, "scenarios.json"), TestContext.Current.CancellationToken));
        // Its deadlock looks for its session among the waits, which have shown aliases instead of ids since.
        var scenarios = list.RootElement.EnumerateArray().Select(
            scenario => (Name: scenario.GetProperty("name").GetString()!, Outcome: scenario.GetProperty("outcome").GetString()))
            .Where(scenario => scenario.Name != "deadlock").ToArray();
        Assert.Superset(new HashSet<string> { "tasks", "queue", "lock" }, scenarios.Select(scenario => scenario.Name).ToHashSet());
        var run = await stubs.RunAsync(coordinator, "../run_scenarios.py", scenarios.Select(scenario => scenario.Name));
        var expected = scenarios.Select(scenario => $"{scenario.Name}: {scenario.Outcome}");
        Assert.Equal(expected, run.Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private static async Task AssertQueuesAsync(QueueService.QueueServiceClient queues)
    {
        var orders = (await queues.GetQueueAsync(new GetQueueRequest { Queue = "orders" }, Soon)).Queue;
        Assert.Equal((Durability.Disk, 5, "dead"), (orders.Spec.Durability, orders.Spec.MaxDeliveries, orders.Spec.DeadLetterQueue));
        Assert.Equal((3, 0, 3, 1), (orders.ReadyItems, orders.LeasedItems, orders.UnfinishedItems, orders.DeadLetteredItems));
        // The lease of b ended with its session.
        Assert.Equal(
            [("b", 2), ("c", 1), ("d", 1)], (await GetAllAsync("orders")).Select(item => (item.Body.Json.StringValue, item.Delivery)));
        var dead = Assert.Single(await GetAllAsync("dead"));
        Assert.Equal(("a", "orders", 1, "rejected: it is odd"),
            (dead.Body.Json.StringValue, dead.DeadLetter.Queue, dead.DeadLetter.Deliveries, dead.DeadLetter.Reason));
        var urgent = await GetAllAsync("urgent");
        Assert.Equal([1, 3, 5], urgent.Select(item => item.Priority));
        Assert.Equal(new byte[] { 0, 1, 0xff }, urgent[0].Body.Data.ToByteArray());
        Assert.Equal(["[ 1, null ]", "\"low\""], urgent.Skip(1).Select(item => $"{item.Body.Json}"));

        async Task<IReadOnlyList<QueueItem>> GetAllAsync(string queue) =>
            (await queues.GetAsync(new GetRequest { Queue = queue, MaxItems = 10 }, Soon)).Items;
    }

    private static async Task AssertStateAsync(StateService.StateServiceClient state, JsonElement versions)
    {
        var prices = await state.ReadDictAsync(new ReadDictRequest { Dict = "prices" }, Soon);
        Assert.Equal(versions.GetProperty("prices").GetUInt64(), prices.Version);
        var entries = prices.Entries.ToDictionary(entry => entry.Key, entry => entry.Value);
        Assert.Equal(["raw", "sold", "tea"], entries.Keys.Order());
        Assert.Equal("""{ "cents": 250, "tags": [ "hot", "é☃" ] }""", $"{entries["tea"].Json}");
        Assert.Equal(2.5, entries["sold"].Json.NumberValue);
        Assert.Equal(new byte[] { 0, 1, 0xff }, entries["raw"].Data.ToByteArray());
        var log = await state.ReadListAsync(new ReadListRequest { List = "log" }, Soon);
        Assert.Equal(versions.GetProperty("log").GetUInt64(), log.Version);
        Assert.Equal(["one", "two", "three"], log.Values.Select(value => value.Json.StringValue));
        var counter = await state.ReadValueAsync(new ReadValueRequest { Value = "counter" }, Soon);
        Assert.Equal((versions.GetProperty("counter").GetUInt64(), (1L << 60) + 3), (counter.Version, counter.Current.Integer));
        var grid = await state.ReadArrayAsync(new ReadArrayRequest { Array = "grid" }, Soon);
        Assert.Equal([0, 0.5, 0], grid.Values.Select(number => number.Real));
    }

    /// <summary>The next grant has a greater token than those before the restart, and the old one opens nothing.</summary>
    private static async Task AssertFencingAsync(CoordinatorProcess coordinator, ulong last)
    {
        var state = new StateService.StateServiceClient(coordinator.Invoker);
        var granted = await coordinator.Sync.AcquireLockAsync(new AcquireLockRequest { Lock = "ledger" }, Soon);
        Assert.True(granted.FencingToken > last, $"{granted.FencingToken} after {last}");
        await RefusesAsync(state.UpdateDictAsync(GuardedBy(last), Soon), StatusCode.FailedPrecondition, "STALE");
        await state.UpdateDictAsync(GuardedBy(granted.FencingToken), Soon);

        static UpdateDictRequest GuardedBy(ulong token) => new()
        {
            Dict = "prices",
            Edits = { new DictEdit { Key = "sold", Add = 1 } },
            Guard = new Guard { Lock = "ledger", FencingToken = token },
        };
    }

    private static async Task AssertTasksAsync(CoordinatorProcess coordinator, JsonElement ids)
    {
        var queued = (await coordinator.WaitAsync([IdOf("queued")])).Single();
        Assert.Equal((TaskState.Succeeded, 5), (queued.State, queued.Output.Json.NumberValue));
        Assert.Equal("333332833333500000", (await InfoAsync("succeeded")).Result.Output.Json.StringValue);
        var failed = (await InfoAsync("failed")).Result;
        Assert.Equal((TaskState.Failed, "no luck", 1), (failed.State, failed.Error.Message, failed.Attempt));
        // Its retry is due long after any run of this test.
        var retried = await InfoAsync("retried");
        Assert.Equal(TaskState.Queued, retried.State);
        Assert.Equal("not yet", Assert.Single(retried.Attempts).Error.Message);
        var dependent = await InfoAsync("dependent");
        Assert.Equal((TaskState.Queued, [IdOf("retried")]), (dependent.State, dependent.Options.DependsOn));
        // No id is given twice.
        Assert.True((await coordinator.SubmitAsync(Specs.Json("echo", "1"))).Single() > IdOf("queued"));

        ulong IdOf(string name) => ids.GetProperty(name).GetUInt64();

        async Task<TaskInfo> InfoAsync(string name) =>
            (await coordinator.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = IdOf(name) }, Soon)).Task;
    }
}
