using System.Text.Json;
using System.Text.RegularExpressions;
using Grpc.Core;
using Orchestrator.Cli.Common;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;
using Orchestrator.V1;
using CommandLine = Orchestrator.TestKit.CommandLine;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>The benches of shared objects, the comparison and the load test on a real coordinator, in their shortest form.</summary>
[Trait("Kind", "slow")]
public sealed partial class ObjectBenchTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    [Theory]
    [InlineData("queue", "stream", "leased", "stream-one", "unary")]
    [InlineData("pipe", "stream", "round-trip", "direct-stream", "direct-large", "direct-round-trip")]
    [InlineData("state", "dict", "add", "dict-one", "get-one", "add-one", "add-callers", "prefix-1k", "increment", "locked-increment",
        "locked-increment-awaited")]
    [InlineData("lock", "pipelined", "one", "one-awaited", "hand-over")]
    public async Task Every_figure_is_measured_and_nothing_fails(string kind, params string[] keys)
    {
        var (code, output) = await BenchAsync(kind, "--only", string.Join(',', keys), "--count", "40", "-o", "json");
        Assert.True(code == ExitCode.Ok, output);
        using var json = JsonOf(output);
        var figures = json.RootElement.GetProperty("figures").EnumerateArray().ToArray();
        Assert.Equal(keys, figures.Select(figure => figure.GetProperty("key").GetString()));
        Assert.All(figures, figure =>
        {
            Assert.Equal(0, figure.GetProperty("failed").GetInt64());
            Assert.True(figure.GetProperty("per_second").GetDouble() > 0);
            // Forty samples are too few for a 99th percentile.
            Assert.True(figure.GetProperty("key").GetString()!.Contains("increment", StringComparison.Ordinal)
                || figure.GetProperty("latency_seconds").GetProperty("p99").ValueKind == JsonValueKind.Null);
        });
    }

    [Fact]
    public async Task The_baseline_stands_beside_each_figure_as_a_ratio()
    {
        var (code, output) = await BenchAsync("state", "--only", "dict-one", "--count", "50", "--baseline", "-o", "json");
        Assert.True(code == ExitCode.Ok, output);
        using var json = JsonOf(output);
        var line = Assert.Single(json.RootElement.GetProperty("comparisons").EnumerateArray());
        Assert.Equal("bare ping-pong", line.GetProperty("baseline").GetString());
        Assert.True(line.GetProperty("ratio").GetDouble() > 0);
    }

    [Theory]
    [InlineData("is below", "--min-rate", "1000000000")]
    [InlineData("needs 1,000 samples", "--max-p99", "10s")]
    [InlineData("is below", "--min-ratio", "1000000", "--baseline")]
    public async Task A_missed_threshold_is_exit_code_4(string reason, params string[] options)
    {
        var (code, output) = await BenchAsync(["lock", "--only", "one", "--count", "50", .. options]);
        Assert.Equal(ExitCode.ThresholdMissed, code);
        Assert.Contains("threshold missed", output, StringComparison.Ordinal);
        Assert.Contains(reason, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lock")]
    [InlineData("queue")]
    [InlineData("pipe")]
    [InlineData("state")]
    public async Task Idle_objects_are_weighed_and_removed(string kind)
    {
        var (code, output) = await CommandLine.RunAsync(
            "bench", kind, "--idle", "50", "-o", "json", "--data-dir", shared.Coordinator.DataDirectory);
        Assert.True(code == ExitCode.Ok, output);
        using var json = JsonOf(output);
        Assert.Equal(50, json.RootElement.GetProperty("count").GetInt32());
        Assert.True(json.RootElement.GetProperty("bytes_each").GetDouble() >= 0);
    }

    [Fact]
    public async Task The_comparison_names_every_way_and_writes_a_page_that_needs_nothing_else()
    {
        var file = Path.Combine(shared.Coordinator.DataDirectory, "compare.html");
        // A command elsewhere finds the program that draws on the path.
        var plots = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "Orchestrator.Bench", "release"));
        var (code, output) = await CommandLine.RunAsync(
            new Dictionary<string, string> { ["PATH"] = $"{plots}:{Environment.GetEnvironmentVariable("PATH")}" },
            "bench", "compare", "--workload", "cpu", "--task-time", "20us", "1ms", "--rounds", "1", "--duration", "20ms", "--report", file,
            "-o", "json",
            "--data-dir", shared.Coordinator.DataDirectory);
        Assert.True(code == ExitCode.Ok, output);
        using var json = JsonOf(output);
        Assert.Equal(14, json.RootElement.GetProperty("cells").GetArrayLength());
        Assert.Equal(6, json.RootElement.GetProperty("break_even").GetArrayLength());
        Assert.Equal(Environment.ProcessorCount, json.RootElement.GetProperty("speed_up").GetArrayLength());
        Assert.NotEmpty(json.RootElement.GetProperty("costs").EnumerateArray());
        var page = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        Assert.Equal(3, Svg().Count(page));
        Assert.DoesNotContain("src=", page, StringComparison.Ordinal);
        Assert.DoesNotContain("href=", page.Replace("xlink:href=\"#", "", StringComparison.Ordinal), StringComparison.Ordinal);
        // The bench changed the number of workers, and restored it.
        Assert.Equal(2, (await shared.Coordinator.WorkersAsync()).Count);
    }

    [Fact]
    public async Task A_client_is_measured_alone_and_beside_one_that_saturates()
    {
        var (code, output) = await BenchAsync("tasks", "--mode", "unary", "--beside", "--count", "40", "-o", "json");
        Assert.True(code == ExitCode.Ok, output);
        using var json = JsonOf(output);
        var figures = json.RootElement.GetProperty("figures").EnumerateArray().ToArray();
        Assert.Equal(["alone", "beside"], figures.Select(figure => figure.GetProperty("name").GetString()));
        Assert.All(figures, figure => Assert.Equal(
            (40, 0), (figure.GetProperty("completed").GetInt64(), figure.GetProperty("failed").GetInt64())));
        // It ran meanwhile.
        Assert.True(json.RootElement.GetProperty("other_per_second").GetDouble() > 1_000);
    }

    [Fact]
    public async Task A_client_that_hangs_up_at_its_pipe_is_no_error()
    {
        // An error in the coordinator's log would fail the fixture.
        var pipes = new PipeService.PipeServiceClient(shared.Coordinator.Invoker);
        for (var i = 0; i < 30; i++)
        {
            var name = $"hang-up-{i}";
            await pipes.CreatePipeAsync(
                new CreatePipeRequest { Spec = new PipeSpec { Name = name, Duplex = true } }, CoordinatorProcess.Deadline());
            using var here = pipes.AttachPipe(CoordinatorProcess.Deadline());
            await here.RequestStream.WriteAsync(new AttachPipeRequest { Pipe = name, End = PipeEnd.A });
            using (var there = pipes.AttachPipe(CoordinatorProcess.Deadline()))
            {
                await there.RequestStream.WriteAsync(new AttachPipeRequest { Pipe = name, End = PipeEnd.B, Messages = { new Payload() } });
                await here.ResponseStream.MoveNext();
                await there.RequestStream.CompleteAsync();
            }

            Assert.True(await here.ResponseStream.MoveNext());
            Assert.True(here.ResponseStream.Current.EndOfFile);
        }
    }

    private Task<(int ExitCode, string Output)> BenchAsync(params string[] arguments) =>
        CommandLine.RunAsync(["bench", .. arguments, "--rounds", "1", "--data-dir", shared.Coordinator.DataDirectory]);

    // Remarks on standard error follow the JSON.
    private static JsonDocument JsonOf(string output) =>
        JsonDocument.Parse(output[output.IndexOf('{', StringComparison.Ordinal)..(output.IndexOf("\n}", StringComparison.Ordinal) + 2)]);

    [GeneratedRegex("<svg ")]
    private static partial Regex Svg();
}
