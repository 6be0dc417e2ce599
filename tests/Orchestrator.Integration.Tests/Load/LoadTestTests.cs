using System.Text.Json;
using Orchestrator.Cli.Common;
using Orchestrator.TestKit;
using CommandLine = Orchestrator.TestKit.CommandLine;

namespace Orchestrator.Integration.Tests.Load;

/// <summary>The load test: its scenarios in short form, and that it fails when there is an error.</summary>
public sealed class LoadTestTests
{
    public static TheoryData<string> Scenarios =>
        [.. Directory.EnumerateFiles(Repository.PathOf("scripts", "load"), "*.json").Select(file => Path.GetFileName(file)).Order()];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task The_ledger_of_a_scenario_balances(string file)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        // Rates and kills depend on the machine; that every task ends once does not.
        var short_ = await ShortenAsync(file, coordinator.DataDirectory);
        var (code, output) = await CommandLine.RunAsync("load", short_, "-o", "json", "--data-dir", coordinator.DataDirectory);
        Assert.True(code == ExitCode.Ok, output);
        using var json = JsonOf(output);
        Assert.True(json.RootElement.GetProperty("passed").GetBoolean());
        var sent = json.RootElement.GetProperty("sent").GetInt64();
        var ended = json.RootElement.GetProperty("ended").EnumerateObject().Sum(state => state.Value.GetInt64());
        Assert.True(sent > 0);
        Assert.Equal(sent, ended + json.RootElement.GetProperty("given_up").GetInt64());
    }

    [Fact]
    public async Task A_missed_threshold_fails_it()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var file = await WriteAsync(coordinator.DataDirectory, """
            { "name": "wrong", "duration": "100ms", "clients": [{ "name": "a", "rate": 100, "tasks": [{ "handler": "no_such_handler" }] }],
              "thresholds": { "max_ended": { "failed": 0 }, "min_kills": 1 } }
            """);
        var (code, output) = await CommandLine.RunAsync("load", file, "--data-dir", coordinator.DataDirectory);
        Assert.Equal(ExitCode.ThresholdMissed, code);
        Assert.Contains("max_ended allows 0", output, StringComparison.Ordinal);
        Assert.Contains("min_kills is 1", output, StringComparison.Ordinal);
        Assert.Contains("no_such_handler", output, StringComparison.Ordinal);
    }

    private static async Task<string> ShortenAsync(string file, string directory)
    {
        var options = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip };
        var node = System.Text.Json.Nodes.JsonNode.Parse(
            await File.ReadAllTextAsync(Repository.PathOf("scripts", "load", file)), documentOptions: options)!.AsObject();
        node["duration"] = "1500ms";
        var thresholds = node["thresholds"]!.AsObject();
        foreach (var name in (string[])["max_p99", "min_per_second", "min_kills"])
            thresholds.Remove(name);
        foreach (var kill in node["kills"]?.AsArray() ?? [])
            kill!["every"] = "400ms";
        foreach (var client in node["clients"]!.AsArray())
        {
            if (client!["burst"] is { } burst)
                (burst["every"], burst["for"], burst["rate"]) = ("500ms", "200ms", 3000);
        }

        return await WriteAsync(directory, node.ToJsonString());
    }

    private static async Task<string> WriteAsync(string directory, string text)
    {
        var file = Path.Combine(directory, "scenario.json");
        await File.WriteAllTextAsync(file, text);
        return file;
    }

    private static JsonDocument JsonOf(string output) =>
        JsonDocument.Parse(output[output.IndexOf('{', StringComparison.Ordinal)..(output.IndexOf("\n}", StringComparison.Ordinal) + 2)]);
}
