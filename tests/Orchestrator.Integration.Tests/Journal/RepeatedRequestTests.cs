using Google.Protobuf;
using Grpc.Core;
using Orchestrator.Coordinator.Journal;
using Orchestrator.TestKit;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Journal;

/// <summary>
/// F16 across a restart: a client without a response before the kill repeats its request, which has one effect and the same response.
/// </summary>
[Trait("Kind", "slow")]
public sealed class RepeatedRequestTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("orchestrator-journal-").FullName;

    /// <summary>By the request's message type: the request that is sent twice, and the state afterwards.</summary>
    private readonly Dictionary<
        string, (Func<CoordinatorProcess, Task<IMessage>> Send, Func<CoordinatorProcess, Task<string>> Look)> _cases;

    private ulong _lease;

    public RepeatedRequestTests() => _cases = new()
    {
        [nameof(PutRequest)] = (
            async coordinator => await Queues(coordinator).PutAsync(
                new PutRequest { Queue = "put", RequestId = "put-once", Items = { Item("1"), Item("2") } }, Soon),
            coordinator => LookAtAsync(coordinator, "put")),
        [nameof(GetRequest)] = (
            async coordinator => await Queues(coordinator).GetAsync(new GetRequest { Queue = "get", RequestId = "get-once" }, Soon),
            coordinator => LookAtAsync(coordinator, "get")),
        [nameof(SettleRequest)] = (
            async coordinator => await Queues(coordinator).SettleAsync(
                new SettleRequest
                {
                    Queue = "settle",
                    RequestId = "settle-once",
                    LeaseIds = { _lease, _lease + 1 },
                    Settlement = Settlement.Done
                }, Soon),
            coordinator => LookAtAsync(coordinator, "settle")),
        [nameof(ShutDownQueueRequest)] = (
            async coordinator => await Queues(coordinator).ShutDownQueueAsync(
                new ShutDownQueueRequest { Queue = "shut", RequestId = "shut-once", Immediate = true }, Soon),
            coordinator => LookAtAsync(coordinator, "shut")),
        [nameof(MarkDoneRequest)] = (
            async coordinator => await Queues(coordinator).MarkDoneAsync(
                new MarkDoneRequest { Queue = "done", RequestId = "done-once", Count = 2 }, Soon),
            coordinator => LookAtAsync(coordinator, "done")),
        [nameof(UpdateDictRequest)] = (
            async coordinator => await State(coordinator).UpdateDictAsync(
                new UpdateDictRequest
                {
                    Dict = "dict",
                    RequestId = "dict-once",
                    Durability = Durability.Process,
                    Edits = { new DictEdit { Key = "k", Add = 1 } }
                }, Soon),
            async coordinator => $"{await State(coordinator).ReadDictAsync(new ReadDictRequest { Dict = "dict" }, Soon)}"),
        [nameof(UpdateListRequest)] = (
            async coordinator => await State(coordinator).UpdateListAsync(
                new UpdateListRequest
                {
                    List = "list",
                    RequestId = "list-once",
                    Durability = Durability.Process,
                    Edits = { new ListEdit { Append = Text("x") } }
                }, Soon),
            async coordinator => $"{await State(coordinator).ReadListAsync(new ReadListRequest { List = "list" }, Soon)}"),
        [nameof(UpdateValueRequest)] = (
            async coordinator => await State(coordinator).UpdateValueAsync(
                new UpdateValueRequest { Value = "value", RequestId = "value-once", Durability = Durability.Process, Edit = One() }, Soon),
            async coordinator => $"{await State(coordinator).ReadValueAsync(new ReadValueRequest { Value = "value" }, Soon)}"),
        [nameof(UpdateArrayRequest)] = (
            async coordinator => await State(coordinator).UpdateArrayAsync(
                new UpdateArrayRequest
                {
                    Array = "array",
                    Length = 2,
                    RequestId = "array-once",
                    Durability = Durability.Process,
                    Edits = { new ArrayEdit { Index = 1, Edit = One() } }
                }, Soon),
            async coordinator => $"{await State(coordinator).ReadArrayAsync(new ReadArrayRequest { Array = "array" }, Soon)}"),
        [nameof(TaskSpec)] = (
            async coordinator => await SubmitAsync(coordinator, "kept", Specs.Seconds(3_600)),
            coordinator => CountAsync(coordinator, "kept")),
    };

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_has_one_effect_and_the_same_answer(bool throughSnapshot)
    {
        // Every message that carries a request id and can concern durable objects is tested.
        var carriers = Orchestrator.V1.QueuesReflection.Descriptor.MessageTypes
            .Concat(TasksReflection.Descriptor.MessageTypes).Concat(StateReflection.Descriptor.MessageTypes)
            .Where(message => message.FindFieldByName("request_id") is not null).Select(message => message.Name);
        Assert.Equal(carriers.Order(), _cases.Keys.Order());

        var first = new Dictionary<string, (IMessage Answer, string There)>();
        await using (var coordinator = await StartAsync())
        {
            foreach (var queue in new[] { "put", "done", "get", "settle", "shut" })
            {
                await Queues(coordinator).CreateQueueAsync(
                    new CreateQueueRequest { Spec = new QueueSpec { Name = queue, Durability = Durability.Process } }, Soon);
                if (queue != "put")
                    await Queues(coordinator).PutAsync(
                        new PutRequest { Queue = queue, Items = { Item("1"), Item("2"), Item("3"), Item("4"), Item("5") } }, Soon);
            }

            _lease = (await Queues(coordinator).GetAsync(
                new GetRequest { Queue = "settle", Leased = true, Lease = Specs.Seconds(3_600) }, Soon)).Items.Single().LeaseId;
            await Queues(coordinator).GetAsync(new GetRequest { Queue = "done", MaxItems = 5 }, Soon);
            foreach (var (name, (send, look)) in _cases)
                first.Add(name, (await send(coordinator), await look(coordinator)));
            await coordinator.KillAndWaitAsync();
        }

        if (throughSnapshot)
            JournalTool.Compact(_directory);
        // Twice, since each run must hand on what it has read to the next.
        for (var life = 0; life < 2; life++)
        {
            await using var next = await StartAsync();
            foreach (var (name, (send, look)) in _cases)
            {
                Assert.Equal((name, first[name].There), (name, await look(next)));
                Assert.Equal((name, first[name].Answer), (name, await send(next)));
                Assert.Equal((name, first[name].There), (name, await look(next)));
            }

            await next.KillAndWaitAsync();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_task_whose_result_has_expired_does_not_run_again(bool throughSnapshot)
    {
        await using (var coordinator = await StartAsync())
        {
            var id = (await SubmitAsync(coordinator, "gone", Specs.Seconds(0))).TaskIds.Single();
            // Its result is removed at once.
            await UntilAsync(async () =>
                await CountAsync(coordinator, "gone") == "1" && !await IsKnownAsync(coordinator, id));
            await RefusesAsync(Submit(coordinator, "gone", Specs.Seconds(0)), StatusCode.AlreadyExists, "ALREADY_EXISTS", $"{id}");
            await coordinator.KillAndWaitAsync();
        }

        if (throughSnapshot)
            JournalTool.Compact(_directory);
        await using var next = await StartAsync();
        await RefusesAsync(Submit(next, "gone", Specs.Seconds(0)), StatusCode.AlreadyExists, "ALREADY_EXISTS", "no longer kept");
        // A later task has run, and this one has not.
        await SubmitAsync(next, "other", Specs.Seconds(3_600));
        Assert.Equal(("1", "1"), (await CountAsync(next, "other"), await CountAsync(next, "gone")));
    }

    [Fact]
    public async Task A_put_that_was_let_in_in_part_says_how_many_and_puts_none_twice()
    {
        var put = new PutRequest { Queue = "narrow", RequestId = "first", Items = { Item("1"), Item("2"), Item("3") } };
        await using (var coordinator = await StartAsync())
        {
            await Queues(coordinator).CreateQueueAsync(
                new CreateQueueRequest { Spec = new QueueSpec { Name = "narrow", MaxItems = 2, Durability = Durability.Process } }, Soon);
            var waiting = Queues(coordinator).PutAsync(put, Soon).ResponseAsync;
            await UntilAsync(async () => (await InfoAsync(coordinator)).WaitingPutters == 1);
            // Delivered items are on disk, and so are the items that were accepted with them.
            Assert.Equal("1", Read((await Queues(coordinator).GetAsync(new GetRequest { Queue = "narrow" }, Soon)).Items.Single().Body));
            Assert.Equal(3, (await waiting).Accepted);
            waiting = Queues(coordinator).PutAsync(new PutRequest(put) { RequestId = "second" }, Soon).ResponseAsync;
            await UntilAsync(async () => (await InfoAsync(coordinator)).WaitingPutters == 1);
            await Queues(coordinator).GetAsync(new GetRequest { Queue = "narrow" }, Soon);
            await coordinator.KillAndWaitAsync();
            await Assert.ThrowsAsync<RpcException>(() => waiting);
        }

        await using var next = await StartAsync();
        Assert.Equal(2, (await InfoAsync(next)).ReadyItems);
        Assert.Equal((WaitStatus.Ok, 3), await AgainAsync("first"));
        Assert.Equal((WaitStatus.Timeout, 1), await AgainAsync("second"));
        Assert.Equal(["3", "1"],
            (await Queues(next).GetAsync(new GetRequest { Queue = "narrow", MaxItems = 10 }, Soon)).Items.Select(item => Read(item.Body)));

        async Task<(WaitStatus Status, int Accepted)> AgainAsync(string requestId)
        {
            var answer = await Queues(next).PutAsync(new PutRequest(put) { RequestId = requestId }, Soon);
            return (answer.Status, answer.Accepted);
        }
    }

    private Task<CoordinatorProcess> StartAsync() => CoordinatorProcess.StartInAsync(_directory, "--workers", "1", "--hot-spares", "0");

    private static QueueService.QueueServiceClient Queues(CoordinatorProcess coordinator) => new(coordinator.Invoker);

    private static StateService.StateServiceClient State(CoordinatorProcess coordinator) => new(coordinator.Invoker);

    private static QueueItem Item(string text) => new() { Body = Text(text) };

    private static NumberEdit One() => new() { Add = new Number { Integer = 1 } };

    private static async Task<QueueInfo> InfoAsync(CoordinatorProcess coordinator) =>
        (await Queues(coordinator).GetQueueAsync(new GetQueueRequest { Queue = "narrow" }, Soon)).Queue;

    private static async Task<string> LookAtAsync(CoordinatorProcess coordinator, string queue)
    {
        var info = (await Queues(coordinator).GetQueueAsync(new GetQueueRequest { Queue = queue }, Soon)).Queue;
        return $"{info.ReadyItems} ready, {info.UnfinishedItems} unfinished";
    }

    /// <summary>A durable task that counts its runs in a durable dict.</summary>
    private static AsyncUnaryCall<SubmitTasksResponse> Submit(
        CoordinatorProcess coordinator, string key, Google.Protobuf.WellKnownTypes.Duration resultTtl) =>
        coordinator.Tasks.SubmitTasksAsync(
            new SubmitTasksRequest
            {
                Tasks =
                {
                    Specs.Json("increment", $$"""{"dict": "runs", "key": "{{key}}"}""",
                        new TaskOptions { Durability = Durability.Process, ResultTtl = resultTtl }, requestId: key),
                },
            },
            Soon);

    private static async Task<SubmitTasksResponse> SubmitAsync(
        CoordinatorProcess coordinator, string key, Google.Protobuf.WellKnownTypes.Duration resultTtl)
    {
        // Its presence proves it as durable as the task.
        await State(coordinator).UpdateDictAsync(
            new UpdateDictRequest
            {
                Dict = "runs",
                RequestId = $"runs-{key}",
                Durability = Durability.Process,
                Edits = { new DictEdit { Key = key, Add = 0 } }
            }, Soon);
        var submitted = await Submit(coordinator, key, resultTtl);
        if (resultTtl.Seconds > 0)
            await coordinator.Tasks.WaitTasksAsync(new WaitTasksRequest { TaskIds = { submitted.TaskIds } }, Soon);
        return submitted;
    }

    private static async Task<string> CountAsync(CoordinatorProcess coordinator, string key) =>
        $"{(await State(coordinator).ReadDictAsync(
            new ReadDictRequest { Dict = "runs" }, Soon)).Entries.SingleOrDefault(entry => entry.Key == key)?.Value.Json.NumberValue}";

    private static async Task<bool> IsKnownAsync(CoordinatorProcess coordinator, ulong id)
    {
        try
        {
            await coordinator.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = id }, Soon);
            return true;
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.NotFound)
        {
            return false;
        }
    }
}
