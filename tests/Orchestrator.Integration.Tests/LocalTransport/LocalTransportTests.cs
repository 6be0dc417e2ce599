using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Orchestrator.Client.Contract;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.Integration.Tests.Sdk;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.LocalTransport;

/// <summary>The local transport, frame by frame: the same rules and refusals as over gRPC.</summary>
public sealed class LocalTransportTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private const string RunTask = "/orchestrator.v1.TaskService/RunTask";
    private const string Get = "/orchestrator.v1.QueueService/Get";
    private const string Connect = "/orchestrator.v1.SessionService/Connect";

    private string Token => shared.Coordinator.Token;

    [Fact]
    public async Task A_connection_carries_one_call_after_another()
    {
        using var connection = await LocalSocket.ConnectAsync(shared.Coordinator);
        for (var i = 0; i < 3; i++)
        {
            await connection.SendAsync(LocalSocket.Call(RunTask, Token, Request($"{i}")));
            var (kind, content) = (await connection.ReceiveAsync())!.Value;
            Assert.Equal(0, kind);
            Assert.Equal(i, RunTaskResponse.Parser.ParseFrom(content).Result.Output.Json.NumberValue);
            Assert.Equal(0, (await connection.StatusAsync()).Code);
        }
    }

    /// <summary>The next call comes as soon as the last has its status, while the coordinator may not yet have left that one.</summary>
    [Fact]
    public async Task Each_call_gets_its_own_answer_however_soon_it_follows_another()
    {
        const int Calls = 3_000;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async client =>
        {
            using var connection = await LocalSocket.ConnectAsync(shared.Coordinator);
            for (var i = client * Calls; i < (client + 1) * Calls; i++)
            {
                await connection.SendAsync(LocalSocket.Call(RunTask, Token, Request($"{i}")));
                var (kind, content) = (await connection.ReceiveAsync())!.Value;
                Assert.Equal(0, kind);
                Assert.Equal(i, RunTaskResponse.Parser.ParseFrom(content).Result.Output.Json.NumberValue);
                (kind, content) = (await connection.ReceiveAsync())!.Value;
                Assert.Equal((18, 0), (kind, content.Length));
            }
        }));
    }

    /// <summary>As above by the SDK, whose next call comes sooner still: from within the end of the last.</summary>
    [Fact]
    public async Task Calls_of_the_sdk_one_after_another_are_all_answered()
    {
        await using var client = await SdkFixture.ConnectAsync(shared.Coordinator);
        for (var i = 0; i < 6_000; i++)
        {
            var result = await client.Contract.RunTaskAsync(
                new TaskSpec { Handler = "echo", Input = Payloads.FromJson($"{i}") }, cancellationToken: CancellationToken.None).Soon();
            Assert.Equal(i, result.Output.Json.NumberValue);
        }
    }

    public static TheoryData<string, string> Refusals => new MatrixTheoryData<string, string>(
        ["none", "wrong", "observe"],
        [RunTask, Get, Connect, "/orchestrator.v1.AdminService/Drain", "/orchestrator.v1.TaskService/Nothing"]);

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Credentials_and_roles_are_refused_as_over_grpc(string credential, string method)
    {
        var (code, created) = await CommandLine.RunAsync(
            "token", "create", "--role", "observe", "--data-dir", shared.Coordinator.DataDirectory);
        Assert.Equal(0, code);
        var token = credential switch
        {
            "none" => null,
            "wrong" => "wrong",
            _ => created.Trim().Split('\n')[^1].Trim(),
        };
        using var connection = await LocalSocket.ConnectAsync(shared.Coordinator);
        // Its body is not kept: the next call on the connection is served.
        await connection.SendAsync((byte[])
            [.. LocalSocket.Open(method, token), .. LocalSocket.Frame(0, new byte[1_000_000]), .. LocalSocket.Frame(17, [])]);
        var local = await connection.StatusAsync();
        var expected = await Assert.ThrowsAsync<RpcException>(() => GrpcAsync(method, token));
        Assert.Equal(((int)expected.StatusCode, expected.Status.Detail), (local.Code, local.Message));
        Assert.Equal(ReasonOf(expected.GetRpcStatus()), ReasonOf(local));
        await connection.SendAsync(LocalSocket.Call(RunTask, Token, Request("7")));
        Assert.Equal(0, (await connection.StatusAsync()).Code);
    }

    public static TheoryData<string, byte[]> Garbage => new()
    {
        { "an unknown kind", LocalSocket.Frame(99, [1, 2, 3]) },
        { "a status of the client", LocalSocket.Frame(18, []) },
        { "a message before a call", LocalSocket.Frame(0, [1]) },
        { "a half-close before a call", LocalSocket.Frame(17, []) },
        { "an OPEN that is no LocalCall", LocalSocket.Frame(16, [0xff, 0xff, 0xff]) },
        { "an OPEN that is too large", [16, 0, 1, 0, 0] },
        { "a length beyond 2 GB", [0, 0xff, 0xff, 0xff, 0xff] },
        { "a half-close with content", LocalSocket.Frame(17, [1]) },
        { "HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray() },
    };

    [Theory]
    [MemberData(nameof(Garbage))]
    public async Task Garbage_gets_a_status_and_the_connection_is_closed(string what, byte[] bytes)
    {
        using var connection = await LocalSocket.ConnectAsync(shared.Coordinator);
        await connection.SendAsync(bytes);
        Assert.NotEqual(0, (await connection.StatusAsync()).Code);
        Assert.True(await connection.ReceiveAsync() is null, what);
    }

    [Fact]
    public async Task A_client_that_ends_at_any_byte_leaves_nothing_behind()
    {
        var queue = Unique("queue");
        var queues = new QueueService.QueueServiceClient(shared.Coordinator.Invoker);
        await queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = queue } }, Soon);
        var wait = LocalSocket.Call(Get, Token, new GetRequest { Queue = queue, MaxItems = 1, Timeout = Specs.Seconds(60) });
        for (var length = 0; length <= wait.Length; length++)
        {
            using var connection = await LocalSocket.ConnectAsync(shared.Coordinator);
            await connection.SendAsync(wait.AsMemory(0, length));
        }

        // An item that is put now goes to nobody who has left.
        await queues.PutAsync(
            new PutRequest { Queue = queue, Items = { new QueueItem { Body = Payloads.FromJson("1") } } }, Soon);
        var got = await queues.GetAsync(new GetRequest { Queue = queue, MaxItems = 1, Timeout = Specs.Seconds(30) }, Soon);
        Assert.Single(got.Items);
        // The coordinator may still have to read that the last ones have ended.
        var limit = Soon;
        while ((await shared.Coordinator.Admin.ListLimitsAsync(new ListLimitsRequest(), limit)).Limits
            .Single(item => item.Name == "incoming_bytes").Used != 0)
        {
        }
    }

    [Fact]
    public async Task A_deadline_and_a_cancel_end_a_wait()
    {
        var queue = Unique("queue");
        await new QueueService.QueueServiceClient(shared.Coordinator.Invoker).CreateQueueAsync(
            new CreateQueueRequest { Spec = new QueueSpec { Name = queue } }, Soon);
        var request = new GetRequest { Queue = queue, MaxItems = 1, Timeout = Specs.Seconds(60) };
        using var connection = await LocalSocket.ConnectAsync(shared.Coordinator);
        await connection.SendAsync(LocalSocket.Call(Get, Token, request, TimeSpan.FromMilliseconds(50)));
        Assert.Equal((int)StatusCode.DeadlineExceeded, (await connection.StatusAsync()).Code);
        await connection.SendAsync(LocalSocket.Call(Get, Token, request));
        await connection.SendAsync(LocalSocket.Frame(19, []));
        Assert.Equal((int)StatusCode.Cancelled, (await connection.StatusAsync()).Code);
        await connection.SendAsync(LocalSocket.Call(RunTask, Token, Request("1")));
        Assert.Equal(0, (await connection.StatusAsync()).Code);
    }

    private static RunTaskRequest Request(string json) => new() { Task = Specs.Json("echo", json) };

    private static string? ReasonOf(Google.Rpc.Status? status) => status?.GetDetail<ErrorInfo>()?.Reason;

    private async Task GrpcAsync(string method, string? token)
    {
        var parts = method.Split('/');
        var raw = Marshallers.Create(static (byte[] bytes) => bytes, static bytes => bytes);
        var headers = token is null ? new Metadata() : new Metadata { { "authorization", $"Bearer {token}" } };
        using var call = shared.Coordinator.Connect(token: "").AsyncUnaryCall(
            new Method<byte[], byte[]>(MethodType.Unary, parts[1], parts[2], raw, raw), null, new CallOptions(headers), []);
        await call.ResponseAsync;
    }
}
