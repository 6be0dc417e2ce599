using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// Part 5, 3: JSON nested deeper than others can read. One depth limit for every payload that is stored or forwarded, checked on receipt,
/// so that every client and the next start can read all accepted payloads; and a client that cannot read a response fails only that
/// operation.
/// </summary>
[Trait("Kind", "slow")]
public sealed class NestedValueTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    /// <summary>Every way for a payload into the coordinator: the field that a rejection names, and how to send it.</summary>
    public static TheoryData<string> Doors => [.. s_doors.Keys];

    private static readonly Dictionary<string, Func<CoordinatorProcess, Payload, string, Task>> s_doors = new()
    {
        ["items[0].body"] = async (coordinator, value, name) =>
        {
            await CreateQueueAsync(coordinator, name);
            await Queues(coordinator).PutAsync(new PutRequest { Queue = name, Items = { new QueueItem { Body = value } } }, Soon);
        },
        ["messages[0]"] = async (coordinator, value, name) =>
        {
            var pipes = new PipeService.PipeServiceClient(coordinator.Invoker);
            await pipes.CreatePipeAsync(new CreatePipeRequest { Spec = new PipeSpec { Name = name } }, Soon);
            await pipes.SendAsync(new SendRequest
            {
                Pipe = name,
                End = PipeEnd.B,
                SessionId = await coordinator.OpenSessionAsync(),
                Messages = { value }
            }, Soon);
        },
        ["edits[0].set"] = (coordinator, value, name) => EditAsync(coordinator, name, new DictEdit { Key = "k", Set = value }),
        ["edits[0].set_default"] = (coordinator, value, name) => EditAsync(
            coordinator, name, new DictEdit { Key = "k", SetDefault = value }),
        ["edits[0].path.value"] = (coordinator, value, name) => EditAsync(
            coordinator, name, new DictEdit { Key = "k", Path = new PathEdit { Path = "a", Value = Shallower(value) } }, value),
        ["edits[0].append"] = (coordinator, value, name) => EditAsync(
            coordinator, name, new DictEdit { Key = "k", Append = Shallower(value) }, value),
        ["list:edits[0].append"] = (coordinator, value, name) => EditAsync(coordinator, name, new ListEdit { Append = value }),
        ["edits[0].insert.value"] = (coordinator, value, name) => EditAsync(
            coordinator, name, new ListEdit { Insert = new ListInsert { Value = value } }),
        ["edits[1].set.value"] = (coordinator, value, name) => EditAsync(
            coordinator, name, new ListEdit { Append = Text("x") }, new ListEdit { Set = new ListSet { Value = value } }),
        ["edits[0].extend.values[0]"] = (coordinator, value, name) => EditAsync(
            coordinator, name, new ListEdit { Extend = new ListExtend { Values = { value } } }),
        ["task.input"] = async (coordinator, value, _) => await coordinator.Tasks.RunTaskAsync(
            new RunTaskRequest { Task = new TaskSpec { Handler = "echo", Input = value } }, Soon),
        ["tasks[0].input"] = async (coordinator, value, _) => await coordinator.Tasks.SubmitTasksAsync(
            new SubmitTasksRequest { Tasks = { new TaskSpec { Handler = "echo", Input = value } } }, Soon),
    };

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_value_one_level_too_deep_is_invalid_and_the_deepest_is_taken(string door)
    {
        // The rejected and the accepted depth differ by two, since a path or an append adds one level to the value.
        await RefusesAsync(door, Arrays(PayloadFormat.MaxArrays + 1));
        await RefusesAsync(door, Objects(PayloadFormat.MaxObjects + 1));
        await s_doors[door](_coordinator, Arrays(PayloadFormat.MaxArrays - 1), Unique("arrays"));
        await s_doors[door](_coordinator, Objects(PayloadFormat.MaxObjects - 1), Unique("objects"));
    }

    [Fact]
    public async Task A_task_of_a_stream_with_a_value_too_deep_is_refused_alone()
    {
        var results = await _coordinator.StreamAsync(
            [new TaskSpec { Handler = "echo", Input = Arrays(PayloadFormat.MaxArrays + 1), Tag = 1 }, Specs.Json("echo", "2", tag: 2)]);
        var refused = results.Single(result => result.Tag == 1);
        Assert.Equal((TaskState.Failed, ErrorReason.Invalid), (refused.State, refused.Error.Reason));
        Assert.Contains("nested too deep", refused.Error.Message, StringComparison.Ordinal);
        Assert.Equal(TaskState.Succeeded, results.Single(result => result.Tag == 2).State);
    }

    [Theory]
    [InlineData(32, "deep")]
    [InlineData(500, "deep")]
    [InlineData(100_000, "characters")]
    public async Task A_path_of_many_steps_is_invalid_and_the_coordinator_goes_on(int steps, string says)
    {
        var edit =
            new DictEdit { Key = "k", Path = new PathEdit { Path = string.Join('.', Enumerable.Repeat("a", steps)), Value = Text("x") } };
        var error = await Assert.ThrowsAsync<RpcException>(() => EditAsync(_coordinator, Unique("dict"), edit));
        Check(error, StatusCode.InvalidArgument, "INVALID", says);
        Assert.InRange(error.Status.Detail.Length, 1, 500);
        Assert.Contains(Violations(error), violation => violation.StartsWith("edits[0]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_list_that_grows_by_appends_of_appends_stops_at_the_depth_that_all_can_read()
    {
        // Each edit wraps the existing value in one more object.
        var name = Unique("dict");
        var path = "a";
        RpcException? refused = null;
        for (var level = 1; refused is null && level <= 60; level++, path += ".a")
        {
            try
            {
                await EditAsync(
                    _coordinator, name, new DictEdit { Key = "k", Path = new PathEdit { Path = path, Value = Payloads.FromJson("{}") } });
            }
            catch (RpcException exception)
            {
                refused = exception;
            }
        }

        Check(refused!, StatusCode.InvalidArgument, "INVALID", "deep");
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync("reader");
        Assert.NotNull(await session.Dict(name).GetAsync("k", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_deepest_values_are_read_by_the_client_and_survive_a_restart()
    {
        var (arrays, objects) = (Arrays(PayloadFormat.MaxArrays), Objects(PayloadFormat.MaxObjects));
        await using var first = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0");
        await Queues(first).CreateQueueAsync(
            new CreateQueueRequest { Spec = new QueueSpec { Name = "q", Durability = Durability.Process } }, Soon);
        await Queues(first).PutAsync(
            new PutRequest { Queue = "q", Items = { new QueueItem { Body = arrays }, new QueueItem { Body = objects } } }, Soon);
        await State(first).UpdateDictAsync(
            new UpdateDictRequest
            {
                Dict = "d",
                RequestId = "once",
                Durability = Durability.Process,
                Edits = { new DictEdit { Key = "a", Set = arrays }, new DictEdit { Key = "o", Set = objects } }
            }, Soon);
        await State(first).UpdateListAsync(
            new UpdateListRequest
            {
                List = "l",
                Durability = Durability.Process,
                Edits = { new ListEdit { Extend = new ListExtend { Values = { arrays, objects } } } }
            }, Soon);
        var task = (await first.Tasks.SubmitTasksAsync(new SubmitTasksRequest
        {
            Tasks = { new TaskSpec { Handler = "echo", Input = arrays,
            Options = new TaskOptions { Durability = Durability.Process } } }
        }, Soon)).TaskIds[0];
        Assert.Equal(
            TaskState.Succeeded, (await first.Tasks.WaitTasksAsync(new WaitTasksRequest { TaskIds = { task } }, Soon)).Done[0].State);
        await first.KillAndWaitAsync();

        await using var second = await first.StartAgainAsync();
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { DataDirectory = second.DataDirectory });
        await using var session = await client.OpenSessionAsync("reader");
        var cancellation = TestContext.Current.CancellationToken;
        Assert.Equal(arrays, await session.Queue("q").GetAsync(cancellation));
        Assert.Equal(objects, await session.Queue("q").GetAsync(cancellation));
        Assert.Equal(arrays, await session.Dict("d").GetAsync("a", cancellation));
        Assert.Equal(objects, await session.Dict("d").GetAsync("o", cancellation));
        Assert.Equal([arrays, objects], (await session.List("l").ReadAsync(cancellationToken: cancellation)));
        Assert.Equal(arrays, (await second.Tasks.WaitTasksAsync(new WaitTasksRequest { TaskIds = { task } }, Soon)).Done[0].Output);
        var watched = 0;
        using var watch = State(second).WatchState(new WatchStateRequest { Kind = StateKind.List, Name = "l" }, Soon);
        while (watched < 2 && await watch.ResponseStream.MoveNext(cancellation))
            watched += watch.ResponseStream.Current.ListEdit is null ? 0 : 1;
    }

    [Fact]
    public async Task A_client_that_cannot_read_an_outcome_ends_that_operation_and_reads_the_others()
    {
        await using var server = await DeepServer.StartAsync();
        await using var client = await server.ConnectAsync();
        await using var session = await client.OpenSessionAsync("reader");
        var cancellation = TestContext.Current.CancellationToken;
        var error = await Assert.ThrowsAsync<OrchestratorException>(() => session.Dict("deep").GetAsync("k", cancellation));
        Assert.Equal(StatusCode.DataLoss, error.StatusCode);
        Assert.Contains("cannot be read", error.Message, StringComparison.Ordinal);
        Assert.Equal(Text("x"), await session.Dict("shallow").GetAsync("k", cancellation));
        Assert.Equal(1, server.Connections);
    }

    [Fact]
    public async Task A_client_that_cannot_read_a_result_a_change_or_an_item_says_so()
    {
        await using var server = await DeepServer.StartAsync();
        await using var client = await server.ConnectAsync();
        var cancellation = TestContext.Current.CancellationToken;
        await using (var stream = client.Contract.OpenTaskStream(cancellationToken: cancellation))
        {
            await stream.SubmitAsync(
                [new TaskSpec { Handler = "deep", Tag = 1 }, new TaskSpec { Handler = "shallow", Tag = 2 }], cancellation);
            var results = new Dictionary<ulong, TaskResult>();
            await foreach (var result in stream.ReadAllAsync(cancellation))
            {
                results[result.Tag] = result;
                if (results.Count == 2)
                    break;
            }

            Assert.Equal(TaskState.Failed, results[1].State);
            Assert.Contains("cannot be read", results[1].Error.Message, StringComparison.Ordinal);
            Assert.Equal(TaskState.Succeeded, results[2].State);
        }

        await using var session = await client.OpenSessionAsync("watcher");
        var watch = await Assert.ThrowsAsync<OrchestratorException>(async () =>
        {
            await foreach (var change in session.Dict("deep").WatchMessagesAsync(cancellationToken: cancellation))
                Assert.Fail($"{change.Version}");
        });
        Assert.Equal(StatusCode.DataLoss, watch.StatusCode);
    }

    private async Task RefusesAsync(string door, Payload value)
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => s_doors[door](_coordinator, value, Unique("deep")));
        Check(error, StatusCode.InvalidArgument, "INVALID", "nested too deep");
        var field = door[(door.IndexOf(':', StringComparison.Ordinal) + 1)..];
        Assert.Contains(Violations(error), violation => field.StartsWith(violation, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Violations(RpcException error) =>
        error.GetRpcStatus()?.GetDetail<Google.Rpc.BadRequest>()?.FieldViolations.Select(violation => violation.Field) ?? [];

    internal static Payload Arrays(int levels) => Nest(levels, inner => new Value { ListValue = new ListValue { Values = { inner } } });

    private static Payload Objects(int levels) =>
        Nest(levels, inner => new Value { StructValue = new Struct { Fields = { ["a"] = inner } } });

    private static Payload Nest(int levels, Func<Value, Value> around)
    {
        var value = Value.ForNumber(1);
        for (var level = 0; level < levels; level++)
            value = around(value);
        return new Payload { Json = value };
    }

    /// <summary>A value that is wrapped in one more object or array.</summary>
    private static Payload Shallower(Payload value) =>
        new()
        {
            Json = value.Json.KindCase == Value.KindOneofCase.ListValue
            ? value.Json.ListValue.Values[0] : value.Json.StructValue.Fields["a"]
        };

    private static async Task CreateQueueAsync(CoordinatorProcess coordinator, string name) =>
        await Queues(coordinator).CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = name } }, Soon);

    private static async Task EditAsync(CoordinatorProcess coordinator, string name, DictEdit edit, Payload? around = null)
    {
        // A path creates objects, an append arrays, whatever the value itself consists of.
        if (around?.Json.KindCase == Value.KindOneofCase.ListValue && edit.EditCase == DictEdit.EditOneofCase.Path)
            edit.Path.Value = around;
        if (around?.Json.KindCase == Value.KindOneofCase.StructValue && edit.EditCase == DictEdit.EditOneofCase.Append)
            edit.Append = around;
        await State(coordinator).UpdateDictAsync(new UpdateDictRequest { Dict = name, Edits = { edit } }, Soon);
    }

    private static async Task EditAsync(CoordinatorProcess coordinator, string name, params ListEdit[] edits) =>
        await State(coordinator).UpdateListAsync(new UpdateListRequest { List = name, Edits = { edits } }, Soon);

    private static QueueService.QueueServiceClient Queues(CoordinatorProcess coordinator) => new(coordinator.Invoker);

    private static StateService.StateServiceClient State(CoordinatorProcess coordinator) => new(coordinator.Invoker);

    private Task<OrchestratorClient> ConnectAsync() =>
        OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { DataDirectory = _coordinator.DataDirectory });
}
