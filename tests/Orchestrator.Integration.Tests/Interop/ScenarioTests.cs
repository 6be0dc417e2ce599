using System.Text.Json;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Interop;

/// <summary>
/// One list of scenarios, <c>tests/Interop/scenarios.json</c>, run by a client in each language, each written against the protos alone: all
/// clients have the same outcomes.
/// </summary>
[Trait("Kind", "slow")]
public sealed class ScenarioTests(SharedCoordinator shared, PythonStubs stubs)
    : IClassFixture<SharedCoordinator>, IClassFixture<PythonStubs>
{
    private static readonly string[] Expected = ReadExpected();

    [Fact]
    public async Task By_buf_curl()
    {
        ExternalTool.Require("jq", "apt-get install jq");
        var buf = Path.GetDirectoryName(ExternalTool.Require("buf", "npm install @bufbuild/buf"));
        var run = await ExternalTool.RunAsync(
            Repository.PathOf("tests", "Interop", "buf", "scenarios.sh"), [],
            Environment(("PATH", $"{buf}{Path.PathSeparator}{System.Environment.GetEnvironmentVariable("PATH")}")));
        AssertOutcomes(run);
    }

    [Fact]
    public async Task By_Python() => AssertOutcomes(await stubs.RunAsync(shared.Coordinator, "scenarios.py", []));

    [Fact]
    public async Task By_Python_with_asyncio() => AssertOutcomes(await stubs.RunAsync(shared.Coordinator, "scenarios_aio.py", []));

    [Fact]
    public async Task By_Node()
    {
        var node = ExternalTool.Require("node", "apt-get install nodejs");
        var folder = Repository.PathOf("tests", "Interop", "node");
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(folder, "node_modules", "@grpc", "grpc-js")),
            "@grpc/grpc-js is not installed (npm install --prefix tests/Interop/node); scripts/test installs it");
        AssertOutcomes(await ExternalTool.RunAsync(node, [Path.Combine(folder, "scenarios.mjs")], Environment()));
    }

    private static void AssertOutcomes(ToolRun run) =>
        Assert.Equal(Expected, run.Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries));

    private Dictionary<string, string> Environment(params (string Name, string Value)[] more)
    {
        var variables = new Dictionary<string, string>
        {
            ["ORCHESTRATOR_DATA_DIR"] = shared.Coordinator.DataDirectory,
            ["ORCHESTRATOR_TOKEN"] = "",
        };
        foreach (var (name, value) in more)
            variables[name] = value;
        return variables;
    }

    private static string[] ReadExpected()
    {
        using var list = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("tests", "Interop", "scenarios.json")));
        var lines = list.RootElement.EnumerateArray()
            .Select(scenario => $"{scenario.GetProperty("name").GetString()}: {scenario.GetProperty("outcome").GetString()}")
            .ToArray();
        Assert.NotEmpty(lines);
        return lines;
    }
}
