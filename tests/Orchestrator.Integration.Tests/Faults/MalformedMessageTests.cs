using Google.Protobuf;
using Grpc.Core;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.Integration.Tests.Security;
using Orchestrator.Protocol;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// F15: damaged, too deep or too large messages, at every method. None causes a server error, in the response or in the log.
/// </summary>
[Trait("Kind", "slow")]
public sealed class MalformedMessageTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    public static TheoryData<string, byte[]> Corpus => new()
    {
        { "a length beyond the end", [0x0a, 0x7f, 1, 2] },
        { "a number that never ends", [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] },
        { "field number zero", [0x00, 0x01] },
        { "a wire type that there is not", [0x0f] },
        { "the end of a group that never began", [0x0c] },
        { "a negative length", [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01] },
        { "half a tag", [0x80] },
        { "groups in groups", [.. Enumerable.Repeat((byte)0x0b, 10_000)] },
    };

    [Theory]
    [MemberData(nameof(Corpus))]
    public async Task Bytes_that_are_no_message_are_an_invalid_argument_everywhere(string what, byte[] bytes)
    {
        foreach (var (service, method) in await RpcCatalogue.ReadAsync(_coordinator.Invoker))
        {
            var error = await RpcCatalogue.CallAsync(_coordinator.Invoker, service, method, message: bytes);
            Assert.True(
                error?.StatusCode == StatusCode.InvalidArgument, $"{what}, {service}/{method}: {error?.Status.ToString() ?? "success"}");
        }
    }

    [Fact]
    public async Task Random_damage_to_real_messages_is_never_an_error_of_the_server()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var real = new RunTaskRequest
        {
            Task = Specs.Json("sum_of_squares", """{"n": 10, "deep": {"a": [1, 2, {"b": "text"}]}}""",
            new TaskOptions { RunTimeout = Specs.Seconds(5), FairnessKey = "k" }, tag: 7, requestId: "")
        }.ToByteArray();
        for (var i = 0; i < 300; i++)
        {
            var bytes = real.ToArray();
            for (var hit = random.Next(1, 6); hit > 0; hit--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            bytes = bytes[..random.Next(1, bytes.Length + 1)];
            foreach (var method in new[] { "RunTask", "StreamTasks" })
            {
                var error = await RpcCatalogue.CallAsync(_coordinator.Invoker, "orchestrator.v1.TaskService", method, message: bytes);
                Assert.True(
                    error?.StatusCode is null or StatusCode.InvalidArgument or StatusCode.ResourceExhausted or StatusCode.DeadlineExceeded
                        or StatusCode.NotFound,
                    $"seed {seed}, {method} of {Convert.ToHexString(bytes)}: {error?.Status}");
            }
        }
    }

    [Fact]
    public async Task What_is_nested_too_deep_is_refused_or_fails_its_task_only()
    {
        // A JSON value of lists nested ten thousand deep, built from the inside out.
        byte[] value = [0x08, 0x00];
        for (var depth = 0; depth < 10_000 && value.Length < 1_000_000; depth++)
            value = Wrap(6, Wrap(1, value));
        var request = Wrap(1, [.. Wrap(1, "echo"u8.ToArray()), .. Wrap(2, Wrap(2, value))]);
        var error = await RpcCatalogue.CallAsync(_coordinator.Invoker, "orchestrator.v1.TaskService", "RunTask", message: request);
        Assert.True(error?.StatusCode is null or StatusCode.InvalidArgument, error?.Status.ToString());
        var state = await RpcCatalogue.CallAsync(_coordinator.Invoker, "orchestrator.v1.StateService", "UpdateValue", message: request);
        Assert.Equal(StatusCode.InvalidArgument, state?.StatusCode);
        // Its worker lives: no stack overflowed.
        Assert.All(await _coordinator.WorkersAsync(), worker => Assert.Equal(0, worker.Restarts));
    }

    [Fact]
    public async Task What_is_too_large_exhausts_a_resource()
    {
        var request = new byte[ProtocolConstants.MessageBytesFor(ProtocolConstants.DefaultPayloadBytes) + 1];
        foreach (var (service, method) in new[] { ("orchestrator.v1.TaskService", "RunTask"),
            ("orchestrator.v1.TaskService", "StreamTasks"), ("orchestrator.v1.QueueService", "Put") })
        {
            var error = await RpcCatalogue.CallAsync(_coordinator.Invoker, service, method, message: request);
            Assert.True(error?.StatusCode == StatusCode.ResourceExhausted, $"{service}/{method}: {error?.Status.ToString() ?? "success"}");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_call_that_is_taken_back_in_the_middle_of_its_message_is_no_error_of_the_server(bool onceItIsRead)
    {
        const int Rounds = 5;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var connection = new RawHttp2(_coordinator.GrpcAddress);
        connection.Begin();
        // A whole message, after which the stream goes on: every method waits for more.
        byte[] begun = [0, 0, 0, 0, 0];
        var methods = await RpcCatalogue.ReadAsync(_coordinator.Invoker);
        var stream = 1;
        foreach (var (service, method) in Enumerable.Repeat(methods, Rounds).SelectMany(all => all))
        {
            connection.Call(stream, $"/{service}/{method}",
                more: [("authorization", $"Bearer {_coordinator.Token}"), ("grpc-timeout", "30S")]).Frame(RawHttp2.Data, 0, stream, begun);
            if (!onceItIsRead)
                connection.Frame(RawHttp2.ResetStream, 0, stream, [0, 0, 0, RawHttp2.Cancel]);
            // The method has begun to read once a later call has been answered.
            connection.Call(stream + 2, "/grpc.health.v1.Health/Check").Frame(RawHttp2.Data, RawHttp2.EndStream, stream + 2, new byte[5]);
            await connection.SendAsync(limit.Token);
            (byte Type, byte Flags, int Stream, byte[] Payload)? frame;
            do
            {
                frame = await connection.ReadAsync(limit.Token);
                Assert.NotNull(frame);
            }
            while (frame.Value.Stream != stream + 2 || (frame.Value.Flags & RawHttp2.EndStream) == 0);
            if (onceItIsRead)
                await connection.Frame(RawHttp2.ResetStream, 0, stream, [0, 0, 0, RawHttp2.Cancel]).SendAsync(limit.Token);
            stream += 4;
        }

        // The coordinator's log is checked when it ends.
        Assert.NotEmpty(await _coordinator.WorkersAsync());
    }

    [Fact]
    public async Task A_stream_that_is_taken_back_while_its_tasks_are_accepted_is_no_error_of_the_server()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var connection = new RawHttp2(_coordinator.GrpcAddress);
        connection.Begin();
        // Enough of them that the next read comes after the reset.
        var message = new StreamTasksRequest { Tasks = { Enumerable.Repeat(Specs.Json("sleep", """{"ms": 1}"""), 400) } }.ToByteArray();
        byte[] framed = [0, 0, (byte)(message.Length >> 16), (byte)(message.Length >> 8), (byte)message.Length, .. message];
        for (var stream = 1; stream < 400; stream += 2)
        {
            connection.Call(stream, "/orchestrator.v1.TaskService/StreamTasks", more: ("authorization", $"Bearer {_coordinator.Token}"));
            await connection.Frame(RawHttp2.Data, 0, stream, framed).Frame(RawHttp2.Ping, 0, 0, new byte[8]).SendAsync(limit.Token);
            while (await connection.ReadAsync(limit.Token) is { } frame && (frame.Type, frame.Flags) != (RawHttp2.Ping, RawHttp2.Ack))
            {
            }

            await connection.Frame(RawHttp2.ResetStream, 0, stream, [0, 0, 0, RawHttp2.Cancel]).SendAsync(limit.Token);
        }

        // The coordinator's log is checked when it ends.
        await UntilAsync(async () =>
            (await _coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status.Streams == 0);
    }

    private static byte[] Wrap(int field, byte[] content)
    {
        using var stream = new MemoryStream();
        using var output = new CodedOutputStream(stream);
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(content));
        output.Flush();
        return stream.ToArray();
    }
}
