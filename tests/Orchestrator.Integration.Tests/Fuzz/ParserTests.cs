using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Google.Protobuf;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.LoadTest;
using Orchestrator.Cli.Options;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Serialization;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Security;
using Orchestrator.TestKit;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.Hosting;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.V1;

namespace Orchestrator.Integration.Tests.Fuzz;

/// <summary>
/// Every parser of external bytes gets real inputs that are damaged at random: it reads them, or reports the fault in its own way. (The
/// requests of clients are in <see cref="RequestTests"/>, the journal's records in <see cref="JournalRecordTests"/>.)
/// </summary>
public sealed class ParserTests : IDisposable
{
    private const int Seed = 20_250_611;

    private readonly string _directory = Directory.CreateTempSubdirectory("orchestrator-fuzz-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void The_first_message_of_a_worker()
    {
        var hello = new RawExecuteResponse
        {
            Hello = new Hello
            {
                Name = "worker-1",
                Pid = 42,
                CpuSlots = 1,
                IoSlots = 100,
                BlockingSlots = 4,
                RecordsFlight = true,
                Handlers = { new V1.HandlerInfo { Name = "echo", Description = "says it again" }, new V1.HandlerInfo { Name = "sum" } },
            },
        };
        Reads(
            bytes =>
            {
                var items = new RepeatedFieldReader<RawExecuteResponse>(bytes, RawAttemptResult.Field);
                while (items.Next(out _))
                {
                }

                return items.Rest?.Hello is { } known ? known.Handlers.Select(HandlerOffers.Of).ToArray() : null;
            },
            exception => exception is InvalidDataException,
            hello.ToByteArray());
    }

    [Fact]
    public void What_a_worker_reports()
    {
        var report = new ExecuteResponse
        {
            Results =
            {
                new AttemptResult { TaskId = 7, Attempt = 1, Output = Payloads.FromJson("""{"a": [1, 2.5, "x", null, true]}""") },
                new AttemptResult { TaskId = 8, Attempt = 2,
                    Error = new V1.TaskError { Reason = V1.ErrorReason.HandlerFailed, Message = "it threw" } },
            },
            Vitals = new Vitals { RssBytes = 1 << 20, Threads = 12 },
            Returned = { new AttemptRef { TaskId = 9, Attempt = 1 } },
        };
        Reads(
            bytes =>
            {
                var reports = new List<Core.Tasks.AttemptReport>();
                var items = new RepeatedFieldReader<RawExecuteResponse>(bytes, RawAttemptResult.Field);
                while (items.Next(out var item))
                    reports.Add(WorkerMessageMapper.ToReport(RawAttemptResult.Read(item)));
                if (items.Rest is { } rest)
                    return (WorkerMessageMapper.ToIds(rest.Returned), WorkerMessageMapper.ToUpdate(rest.Events));
                return reports;
            },
            exception => exception is InvalidDataException,
            report.ToByteArray());
    }

    [Fact]
    public void What_a_coordinator_asks_of_a_worker()
    {
        var orders = new ExecuteRequest
        {
            Assignments = { new Assignment { TaskId = 7, Attempt = 1, Handler = "echo", SessionId = "task-7-1", Slot = 3,
                Input = Payloads.FromJson("[1, 2]") } },
            Cancels = { new AttemptRef { TaskId = 9, Attempt = 1 } },
            Drain = true,
        };
        Reads(
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
    public void A_launch_order() => Reads(
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
            Payloads.FromJson("""{"n": 30, "deep": {"a": [1, -2.5e3, {"b": "text é"}, null, true]}, "big": "9007199254740993"}""")
                .ToByteArray(),
            Payloads.FromJson("[[[[[[]]]]]]").ToByteArray(),
            new V1.Payload { Data = ByteString.CopyFromUtf8("bytes") }.ToByteArray(),
        ];
        var anything = (JsonTypeInfo<JsonElement>)JsonSerializerOptions.Default.GetTypeInfo(typeof(JsonElement));
        Reads(bytes => PayloadCodec.DecodeJson(ByteString.CopyFrom(bytes), anything), exception => exception is InvalidInputException
            or MalformedPayloadException, corpus);
        Reads(bytes => PayloadCodec.DecodeBytes(ByteString.CopyFrom(bytes)), exception => exception is InvalidInputException
            or MalformedPayloadException, corpus);
    }

    [Fact]
    public void An_output_that_is_no_payload_is_told_and_breaks_nothing()
    {
        var engine = new Core.Tasks.TaskEngine(new Core.TaskModel.TaskEngineOptions());
        var effects = new Core.TaskModel.TaskEffects();
        engine.Apply(
            new Core.Tasks.TaskCommand.WorkerJoined(
                new Core.TaskModel.WorkerDescription("w#1", Core.TaskModel.PlacementPolicy.WorkerProcess, 1, 1, 1, 16, false),
                [new("cpu", Core.TaskModel.WorkKind.Cpu, null)]),
            TimeSpan.FromSeconds(1),
            effects);
        engine.Apply(new Core.Tasks.TaskCommand.Submit([
            new Core.TaskModel.TaskSubmission("cpu", Core.TaskModel.TaskPolicy.Default, null, 0)], null), TimeSpan.FromSeconds(1), effects);
        var task = effects.Submitted.Single().Task!;
        engine.Apply(
            new Core.Tasks.TaskCommand.Report(effects.Joined!, [
                new Core.Tasks.AttemptReport(task.Id, 1, ByteString.CopyFrom(0x0f, 0xff), 2, null, 10)]), TimeSpan.FromSeconds(2), effects);
        var results = new Coordinator.Mapping.TaskResultMapper(new MonotonicClock(TimeProvider.System));
        var info = results.ToInfo(task, withOutput: true);
        Assert.Equal(V1.TaskState.Succeeded, info.State);
        Assert.Null(info.Result.Output);
        Assert.Contains("output of 2 bytes is no payload", info.Result.Error.Message, StringComparison.Ordinal);
        Assert.Null(results.ToInfo(task, withOutput: false).Result.Error);
    }

    [Fact]
    public void Json_that_becomes_a_payload()
    {
        byte[][] corpus =
        [
            """{"n": 30, "deep": {"a": [1, -2.5e3, {"b": "te\u00e9xt"}, null, true]}, "big": 9007199254740993, "1e999": 1e999}"""u8.ToArray(),
            "[[[[1]]]]"u8.ToArray(),
            "\"é\\n\""u8.ToArray(),
        ];
        // The reader accepts what the writer produces.
        Reads(bytes => V1.Payload.Parser.ParseFrom(PayloadCodec.EncodeJsonText(bytes)), exception => exception is JsonException, corpus);
        Reads(bytes => V1.Payload.Parser.ParseFrom(
            Payloads.FromJson(Encoding.UTF8.GetString(bytes)).ToByteArray()), exception => exception is JsonException, corpus);
        Reads(bytes => JsonArgument.Parse(Encoding.UTF8.GetString(bytes), "the input"), exception => exception is UsageException, corpus);
    }

    [Fact]
    public void The_token_list()
    {
        var files = new TokenFiles(_directory, TimeProvider.System);
        files.EnsureOwner();
        files.Create(Role.Observe, TimeSpan.FromHours(1), "watcher");
        files.Create(Role.Submit, null);
        var path = Path.Combine(_directory, "tokens.json");
        Reads(
            bytes =>
            {
                File.WriteAllBytes(path, bytes);
                return files.List();
            },
            exception => exception is IOException && exception.Message.Contains(path, StringComparison.Ordinal),
            File.ReadAllBytes(path));
    }

    [Fact]
    public void The_owners_token()
    {
        var files = new TokenFiles(_directory, TimeProvider.System);
        files.EnsureOwner();
        Reads(
            bytes =>
            {
                File.WriteAllBytes(files.OwnerPath, bytes);
                files.EnsureOwner();
                return files.List();
            },
            _ => false,
            File.ReadAllBytes(files.OwnerPath));
    }

    [Fact]
    public void The_file_that_says_where_a_coordinator_is()
    {
        var path = Path.Combine(_directory, "endpoint.json");
        using var file = new EndpointFile(_directory);
        file.Write("http://127.0.0.1:7600", "http://127.0.0.1:7601", "unix:/run/coordinator.sock", "/tmp/tls-cert.pem");
        Reads(
            bytes =>
            {
                File.WriteAllBytes(path, bytes);
                // The writer's Dispose reads the file before it deletes it.
                file.Dispose();
                File.WriteAllBytes(path, bytes);
                return global::Orchestrator.Client.Connection.CoordinatorEndpoint.Locate(
                    new OrchestratorClientOptions { DataDirectory = _directory, Token = "t" });
            },
            exception => exception is CoordinatorUnavailableException,
            File.ReadAllBytes(path));
    }

    [Fact]
    public async Task A_load_scenario()
    {
        var path = Path.Combine(_directory, "scenario.json");
        var real = """
            {"name": "all", "duration": "20s", "seed": 3, // for people
             "clients": [{"name": "a", "count": 2, "rate": 100.5, "in_flight": 10, "burst": {"every": "5s", "for": "1s", "rate": 1000},
                          "tasks": [{"handler": "echo", "input": {"a": [1]}, "weight": 2, "retries": 3, "run_timeout": "2s"}]}],
             "kills": [{"what": "worker", "every": "1s"}],
             "thresholds": {"max_p99": "250ms", "min_per_second": 10, "max_ended": {"failed": 0}, "min_kills": 1, "max_coordinator_mb": 500}}
            """;
        foreach (var bytes in Mutations.Of(Seed, Encoding.UTF8.GetBytes(real),
            """{"name": null, "duration": "1s", "clients": [null], "kills": [null], "thresholds": null}"""u8.ToArray()))
        {
            await File.WriteAllBytesAsync(path, bytes);
            var error = await Record.ExceptionAsync(() => LoadScenario.ReadAsync(path, CancellationToken.None));
            Assert.True(error is null || (error is UsageException && error.Message.Contains(path, StringComparison.Ordinal)),
                $"{Convert.ToHexString(bytes)}: {error}");
        }
    }

    [Fact]
    public void Words_of_the_command_line()
    {
        string[] corpus =
            ["python3 'a b'/w.py --name \"x y\" \\\"z", "250ms", "1.5h", "$.a[0].b[\"c d\"]", "task-12-1", "NaNs", "1e300h", "-1e999"];
        byte[][] bytes = [.. corpus.Select(Encoding.UTF8.GetBytes)];
        Reads(text => CommandSplitter.Split(Encoding.UTF8.GetString(text)), exception => exception is UsageException, bytes);
        Reads(text => DurationOption.TryParse(Encoding.UTF8.GetString(text)) is { } time && time == TimeSpan.MaxValue
            ? throw new OverflowException("it is no time") : text, _ => false, bytes);
        Reads(text => JsonPath.TryParse(Encoding.UTF8.GetString(text), out var steps) is { } wrong ? wrong : steps, _ => false, bytes);
        Reads(text => TaskSessionIds.TryParse(Encoding.UTF8.GetString(text), out var task, out var attempt)
            ? (task, attempt) : null, _ => false, bytes);
        Reads(text => RoleNames.TryParse(Encoding.UTF8.GetString(text), out var role) ? role : null, _ => false, bytes);
        Assert.Null(DurationOption.TryParse("NaNs"));
        Assert.Null(DurationOption.TryParse("1e300h"));
    }

    /// <summary>Each input is read or rejected as it should be; at least one of each.</summary>
    private static void Reads(Func<byte[], object?> read, Func<Exception, bool> isRefusal, params byte[][] corpus)
    {
        foreach (var bytes in Mutations.Of(Seed, corpus))
        {
            var error = Record.Exception(() => read(bytes));
            Assert.True(error is null || isRefusal(error), $"seed {Seed}, {Convert.ToHexString(bytes)}: {error}");
        }
    }
}
