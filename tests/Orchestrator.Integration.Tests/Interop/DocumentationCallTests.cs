using System.Diagnostics;
using System.Text.RegularExpressions;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Interop;

/// <summary>
/// Every call of the contract on a page of the documentation works as stated: with the tool that it names, in the page's order.
/// </summary>
[Trait("Kind", "slow")]
public sealed partial class DocumentationCallTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static readonly string[] s_services =
        ["TaskService", "AdminService", "SessionService", "SyncService", "QueueService", "PipeService", "StateService"];

    public static TheoryData<string> Services => [.. s_services];

    [Theory]
    [MemberData(nameof(Services))]
    public async Task Every_call_of_a_service_succeeds(string service)
    {
        var buf = ExternalTool.Require("buf", "npm install @bufbuild/buf");
        var calls = Calls().Where(call => call.Method.StartsWith(service + "/", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(calls);
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var answers = new Answers();
        foreach (var call in calls)
        {
            string[] arguments =
            [
                "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--header", $"authorization: Bearer {coordinator.Token}",
                "--reflect-header", "*", "--data", answers.Fill(call.Json), $"{coordinator.GrpcAddress}/orchestrator.v1.{call.Method}",
            ];
            if (call.Comment.Contains("until Ctrl-C", StringComparison.Ordinal))
            {
                await StartAsync(buf, arguments);
                continue;
            }

            var run = await ExternalTool.RunAsync(buf, arguments);
            Assert.True(run.ExitCode == 0, $"{call}: {run.Error}");
            answers.Take(run.Output);
        }

        // The last call of the page stops the coordinator.
        if (calls.Any(call => call.Method == "AdminService/Drain"))
            Assert.Equal(0, await coordinator.WaitForExitAsync());
    }

    [Fact]
    public void The_pages_call_known_services_only() => Assert.Empty(
        Calls().Select(call => call.Method.Split('/')[0]).Except(s_services));

    /// <summary>Whether a block calls the contract, by the function that docs/grpc-api.md defines.</summary>
    internal static bool HasCalls(DocumentationBlock block) => block.NoRun is null && CallLine().IsMatch(block.Text);

    /// <summary>Whether a block holds nothing but such calls and comments.</summary>
    internal static bool HasOnlyCalls(DocumentationBlock block) =>
        CallLine().Replace(block.Text, "").Split('\n').All(line => line.Length == 0 || line.StartsWith('#'));

    private static IEnumerable<DocumentedCall> Calls() =>
        from block in Documentation.Blocks("sh")
        where HasCalls(block)
        from match in CallLine().Matches(block.Text)
        select new DocumentedCall(match.Groups["method"].Value, match.Groups["json"].Value, match.Groups["comment"].Value);

    /// <summary>Starts a call that streams until it is ended, and ends it after the first line of its output.</summary>
    private static async Task StartAsync(string path, string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            if (await process.StandardOutput.ReadLineAsync().WaitAsync(Limit) is null)
                Assert.Fail($"{arguments[^1]} ended without output: {await process.StandardError.ReadToEndAsync()}");
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }
    }

    private sealed record DocumentedCall(string Method, string Json, string Comment);

    /// <summary>The ids of earlier answers, for which a page writes "…".</summary>
    private sealed class Answers
    {
        private string _session = "";
        private string _lease = "";
        private string[] _tasks = [];

        public string Fill(string json)
        {
            var all = string.Join(',', _tasks);
            var last = _tasks.LastOrDefault() ?? "";
            var filled = json
                .Replace("\"session_id\":\"…\"", $"\"session_id\":\"{_session}\"", StringComparison.Ordinal)
                .Replace("\"lease_ids\":[\"…\"]", $"\"lease_ids\":[\"{_lease}\"]", StringComparison.Ordinal)
                .Replace("\"task_ids\":[\"…\",\"…\"]", $"\"task_ids\":[{all}]", StringComparison.Ordinal)
                .Replace("\"task_ids\":[\"…\"]", $"\"task_ids\":[{last}]", StringComparison.Ordinal)
                .Replace("\"task_id\":\"…\"", $"\"task_id\":\"{last}\"", StringComparison.Ordinal)
                .Replace("\"depends_on\":[\"…\"]", $"\"depends_on\":[{last}]", StringComparison.Ordinal);
            Assert.DoesNotContain("…", filled, StringComparison.Ordinal);
            return filled;
        }

        public void Take(string output)
        {
            _session = Session().Match(output) is { Success: true } session ? session.Groups[1].Value : _session;
            _lease = Lease().Match(output) is { Success: true } lease ? lease.Groups[1].Value : _lease;
            _tasks = Tasks().Match(output) is { Success: true } tasks
                ? [.. Number().Matches(tasks.Groups[1].Value).Select(number => number.Value)]
                : _tasks;
        }
    }

    [GeneratedRegex("\"sessionId\":\\s*\"([^\"]+)\"")]
    private static partial Regex Session();

    [GeneratedRegex("\"leaseId\":\\s*\"([0-9]+)\"")]
    private static partial Regex Lease();

    [GeneratedRegex("\"taskIds\":\\s*\\[([^\\]]*)\\]")]
    private static partial Regex Tasks();

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Number();

    [GeneratedRegex("^call (?<method>[A-Za-z]+/[A-Za-z]+) '(?<json>[^']*)'(?<comment>.*)$", RegexOptions.Multiline)]
    private static partial Regex CallLine();
}
