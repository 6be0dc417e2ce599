using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Google.Protobuf;
using Orchestrator.TestKit;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.Hosting;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Tests.Payloads;

/// <summary>What a worker reads, damaged at random, is read or reported as damaged.</summary>
public sealed class InputFuzzTests
{
    private const int Seed = 20_250_611;

    [Fact]
    public void What_a_coordinator_asks_of_a_worker()
    {
        var orders = new ExecuteRequest
        {
            Assignments = { new Assignment { TaskId = 7, Attempt = 1, Handler = "echo", SessionId = "task-7-1", Slot = 3,
                Input = Client.Contract.Payloads.FromJson("[1, 2]") } },
            Cancels = { new AttemptRef { TaskId = 9, Attempt = 1 } },
            Drain = true,
        };
        Mutations.Read(
            Seed,
            bytes =>
            {
                var items = new RepeatedFieldReader<RawExecuteRequest>(bytes, RawAssignment.Field);
                var names = new NameTable();
                var last = default(RawAssignment);
                while (items.Next(out var item))
                    last = RawAssignment.Read(item, names);
                return last;
            },
            exception => exception is InvalidDataException,
            orders.ToByteArray());
    }

    [Fact]
    public void A_launch_order() => Mutations.Read(
            Seed,
        bytes => LaunchContractParser.Parse(bytes) is { } launch ? launch.Socket.Length > 0 && launch.Token.Length > 0
            ? launch : throw new InvalidOperationException("it is no order") : null,
        _ => false,
        """{"name": "worker-1", "incarnation": "3", "socket": "/run/w/1.sock", "token": "aa", "coordinatorAddress": "unix:/run/c", "coordinatorToken": "bb", "coordinatorPid": 7, "core": 1, "blocking_threads": 4, "x": [1, {"y": null}]}"""u8.ToArray(),
        """{"socket": "s", "token": "t", "core": null, "directStream": 3}"""u8.ToArray());

    [Fact]
    public void A_task_s_input_and_output()
    {
        byte[][] corpus =
        [
            Client.Contract.Payloads.FromJson("""{"n": 30, "deep": {"a": [1, -2.5e3, {"b": "text é"}, null, true]}, "big": "9007199254740993"}""")
                .ToByteArray(),
            Client.Contract.Payloads.FromJson("[[[[[[]]]]]]").ToByteArray(),
            new Orchestrator.V1.Payload { Data = ByteString.CopyFromUtf8("bytes") }.ToByteArray(),
        ];
        var anything = (JsonTypeInfo<JsonElement>)JsonSerializerOptions.Default.GetTypeInfo(typeof(JsonElement));
        Mutations.Read(
            Seed, bytes => PayloadCodec.DecodeJson(ByteString.CopyFrom(bytes), anything),
            exception => exception is InvalidInputException or MalformedPayloadException, corpus);
        Mutations.Read(
            Seed, bytes => PayloadCodec.DecodeBytes(ByteString.CopyFrom(bytes)),
            exception => exception is InvalidInputException or MalformedPayloadException, corpus);
    }
}
