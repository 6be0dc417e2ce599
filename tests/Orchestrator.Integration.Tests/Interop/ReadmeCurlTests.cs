using System.Text.RegularExpressions;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Interop;

/// <summary>Every call of a shared object in the README works as stated: with the tool that it names, in the README's order.</summary>
public sealed partial class ReadmeCurlTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    [Theory]
    [InlineData("QueueService")]
    [InlineData("PipeService")]
    [InlineData("StateService")]
    [InlineData("SyncService")]
    public async Task Every_line_of_a_service_succeeds(string service)
    {
        var buf = ExternalTool.Require("buf", "npm install @bufbuild/buf");
        var text = await File.ReadAllTextAsync(Repository.PathOf("README.md"), TestContext.Current.CancellationToken);
        var lines = Call().Matches(text).Where(match => match.Groups["method"].Value.StartsWith(service + "/", StringComparison.Ordinal))
            .ToList();
        if (lines.Count == 0)
            Assert.Skip($"the README shows no call of {service}");
        var (session, lease) = ("", "");
        foreach (var line in lines)
        {
            // Replaces a placeholder such as "the one of that answer".
            var json = Placeholder().Replace(
                line.Groups["json"].Value, match => match.Value.StartsWith("\"lease_ids\"", StringComparison.Ordinal)
                ? $"\"lease_ids\":[\"{lease}\"]"
                : $"\"session_id\":\"{session}\"");
            var run = await ExternalTool.RunAsync(buf,
            [
                "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--header", $"authorization: Bearer {shared.Coordinator.Token}",
                "--reflect-header", "*",
                "--data", json, $"{shared.Coordinator.GrpcAddress}/orchestrator.v1.{line.Groups["method"].Value}",
            ]);
            Assert.True(run.ExitCode == 0, $"{line.Value}: {run.Error}");
            session = Session().Match(run.Output) is { Success: true } ofSession ? ofSession.Groups[1].Value : session;
            lease = Lease().Match(run.Output) is { Success: true } ofLease ? ofLease.Groups[1].Value : lease;
        }
    }

    [GeneratedRegex("\"session_id\":\"[^\"]*…\"|\"lease_ids\":\\[\"…\"\\]")]
    private static partial Regex Placeholder();

    [GeneratedRegex("\"sessionId\":\\s*\"([^\"]+)\"")]
    private static partial Regex Session();

    [GeneratedRegex("\"leaseId\":\\s*\"([0-9]+)\"")]
    private static partial Regex Lease();

    [GeneratedRegex("^call (?<method>[A-Za-z]+/[A-Za-z]+) '(?<json>[^']*)'", RegexOptions.Multiline)]
    private static partial Regex Call();
}
