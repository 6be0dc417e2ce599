using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.LoadTest;
using Orchestrator.Cli.Options;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Contract;
using Orchestrator.Client.Errors;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.TestKit;
using Orchestrator.Worker.Payloads;

namespace Orchestrator.Cli.Tests.Options;

/// <summary>Texts and files of the command, damaged at random, are read or reported as damaged.</summary>
public sealed class ParserFuzzTests : IDisposable
{
    private const int Seed = 20_250_611;

    private readonly string _directory = Directory.CreateTempSubdirectory("orchestrator-fuzz-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

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
        Mutations.Read(
            Seed, bytes => V1.Payload.Parser.ParseFrom(PayloadCodec.EncodeJsonText(bytes)), exception => exception is JsonException,
            corpus);
        Mutations.Read(
            Seed, bytes => V1.Payload.Parser.ParseFrom(
            Payloads.FromJson(Encoding.UTF8.GetString(bytes)).ToByteArray()), exception => exception is JsonException, corpus);
        Mutations.Read(
            Seed, bytes => JsonArgument.Parse(Encoding.UTF8.GetString(bytes), "the input"), exception => exception is UsageException,
            corpus);
    }

    [Fact]
    public void The_file_that_says_where_a_coordinator_is()
    {
        var path = Path.Combine(_directory, "endpoint.json");
        using var file = new EndpointFile(_directory);
        file.Write(
            "http://127.0.0.1:7600", "http://127.0.0.1:7601", "unix:/run/coordinator.sock", "/run/local.sock", 16, "/tmp/tls-cert.pem");
        Mutations.Read(
            Seed,
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
        Mutations.Read(Seed, text => CommandSplitter.Split(Encoding.UTF8.GetString(text)), exception => exception is UsageException, bytes);
        Mutations.Read(Seed, text => DurationOption.TryParse(Encoding.UTF8.GetString(text)) is { } time && time == TimeSpan.MaxValue
            ? throw new OverflowException("it is no time") : text, _ => false, bytes);
        Mutations.Read(
            Seed, text => JsonPath.TryParse(Encoding.UTF8.GetString(text), out var steps) is { } wrong ? wrong : steps, _ => false, bytes);
        Mutations.Read(Seed, text => TaskSessionIds.TryParse(Encoding.UTF8.GetString(text), out var task, out var attempt)
            ? (task, attempt) : null, _ => false, bytes);
        Mutations.Read(Seed, text => RoleNames.TryParse(Encoding.UTF8.GetString(text), out var role) ? role : null, _ => false, bytes);
        Assert.Null(DurationOption.TryParse("NaNs"));
        Assert.Null(DurationOption.TryParse("1e300h"));
    }
}
