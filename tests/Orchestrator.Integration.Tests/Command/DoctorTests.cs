using System.Text.Json;
using Orchestrator.Cli.Common;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Command;

/// <summary><c>orchestrator doctor</c>: each check against a machine or folder that is in order, and one that is not.</summary>
public sealed class DoctorTests
{
    [Fact]
    public async Task The_whole_of_it_beside_a_coordinator_and_after_its_SIGKILL()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var (code, output) = await TestKit.CommandLine.RunAsync("doctor", "--data-dir", coordinator.DataDirectory);
        Assert.Equal(ExitCode.Ok, code);
        Assert.All(output.TrimEnd('\n').Split('\n'), line => Assert.Matches("^(ok  |warn) ", line));
        Assert.Contains("2 of 2 workers ready", output, StringComparison.Ordinal);

        var wrong = await TestKit.CommandLine.RunAsync("doctor", "--data-dir", coordinator.DataDirectory, "--token", "wrong");
        Assert.Equal(ExitCode.TaskFailed, wrong.ExitCode);
        Assert.Contains("--token", Assert.Single(
            wrong.Output.Split('\n'), line => line.StartsWith("fail", StringComparison.Ordinal)), StringComparison.Ordinal);

        coordinator.Kill();
        await coordinator.WaitForExitAsync();
        var (after, json) = await TestKit.CommandLine.RunAsync("doctor", "--data-dir", coordinator.DataDirectory, "-o", "json");
        Assert.Equal(ExitCode.TaskFailed, after);
        using var report = JsonDocument.Parse(json);
        Assert.False(report.RootElement.GetProperty("ok").GetBoolean());
        var failed = Assert.Single(
            report.RootElement.GetProperty("checks").EnumerateArray(), check => check.GetProperty("verdict").GetString() == "fail");
        Assert.Equal("coordinator", failed.GetProperty("name").GetString());
        Assert.Contains("orchestrator serve", failed.GetProperty("advice").GetString(), StringComparison.Ordinal);
    }
}
