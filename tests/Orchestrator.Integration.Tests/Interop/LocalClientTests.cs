using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Interop;

/// <summary>The clients of the local transport in other languages that the documentation shows.</summary>
public sealed class LocalClientTests(SharedCoordinator shared, PythonStubs stubs)
    : IClassFixture<SharedCoordinator>, IClassFixture<PythonStubs>
{
    private const int MaxLines = 60;

    [Fact]
    public async Task Python_runs_a_task()
    {
        var run = await stubs.RunAsync(shared.Coordinator, "local_channel.py", ["sum_of_squares", """{"n": 1000000}"""]);
        Assert.Equal("\"333332833333500000\"", run.Succeeded().Trim());
    }

    [Fact]
    public async Task Python_gets_the_reason_of_a_refusal()
    {
        var run = await stubs.RunAsync(shared.Coordinator, "local_channel.py", ["sum_of_squares", """{"n": 1}"""], token: "wrong");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(Path.Combine(shared.Coordinator.DataDirectory, "token"), run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Node_runs_a_task()
    {
        var run = await RunNodeAsync("");
        Assert.Contains("333332833333500000", run.Succeeded(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Node_gets_the_reason_of_a_refusal()
    {
        var run = await RunNodeAsync("wrong");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(Path.Combine(shared.Coordinator.DataDirectory, "token"), run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("python", "local_channel.py")]
    [InlineData("node", "local-client.mjs")]
    public void Each_is_short(string folder, string file) =>
        Assert.InRange(File.ReadLines(Repository.PathOf("tests", "Interop", folder, file)).Count(), 1, MaxLines);

    private Task<ToolRun> RunNodeAsync(string token)
    {
        var node = ExternalTool.Require("node", "apt-get install nodejs");
        var folder = Repository.PathOf("tests", "Interop", "node");
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(folder, "node_modules", "protobufjs")),
            "protobufjs is not installed (npm install --prefix tests/Interop/node); scripts/test installs it");
        return ExternalTool.RunAsync(
            node, [Path.Combine(folder, "local-client.mjs"), "sum_of_squares", """{"n": 1000000}"""],
            new Dictionary<string, string>
            {
                ["ORCHESTRATOR_DATA_DIR"] = shared.Coordinator.DataDirectory,
                ["ORCHESTRATOR_TOKEN"] = token,
            });
    }
}
