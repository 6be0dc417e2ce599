using System.Diagnostics;
using Orchestrator.Cli.Common;
using Orchestrator.Client.Connection;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>A bench runs in two processes of one terminal: whichever receives Ctrl-C first, the command ends as every verb does.</summary>
public sealed class BenchInterruptTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    [Fact]
    public async Task The_partner_leaves_it_to_the_bench()
    {
        using var partner = Start(
            ("bench-partner", [_coordinator.GrpcAddress, ""]), (OrchestratorClientOptions.TokenVariable, _coordinator.Token));
        Assert.StartsWith("ready", await ReadLineAsync(partner), StringComparison.Ordinal);
        Signals.Send(partner.Id, Signals.Interrupt);
        await partner.StandardInput.WriteLineAsync($"lock 0 10 {Unique("lock")} ");
        Assert.StartsWith("done 10 ", await ReadLineAsync(partner), StringComparison.Ordinal);
        partner.StandardInput.Close();
        await partner.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Limit);
        Assert.Equal(ExitCode.Ok, partner.ExitCode);
    }

    [Fact]
    public async Task A_partner_that_it_ends_before_it_can_ignore_it_is_no_error()
    {
        var (bench, partner) = await StartBenchAndSignalItsPartnerAsync(Signals.Interrupt);
        using var started = bench;
        var end = EndAsync(bench);
        // A partner that ignored the signal in time goes on, and so does the bench.
        await Task.WhenAny(ProcessFamily.WaitForEndAsync(partner, TestContext.Current.CancellationToken), end);
        Signals.Send(bench.Id, Signals.Interrupt);
        var (code, error) = await end;
        Assert.Contains(code, new[] { ExitCode.Ok, ExitCode.Interrupted });
        Assert.DoesNotContain("orchestrator:", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_partner_that_dies_of_something_else_is_named()
    {
        var (bench, _) = await StartBenchAndSignalItsPartnerAsync(Signals.Kill);
        using var started = bench;
        var (code, error) = await EndAsync(bench);
        Assert.Equal(ExitCode.TaskFailed, code);
        Assert.Matches("\norchestrator: .*partner.* ended .*\n$", error);
    }

    private async Task<(Process Bench, int Partner)> StartBenchAndSignalItsPartnerAsync(int signal)
    {
        var mark = Guid.NewGuid().ToString("N");
        var bench = Start(
            ("bench", ["queue", "--duration", "1s", "--rounds", "1", "--data-dir", _coordinator.DataDirectory]), ("MARK", mark));
        var partner = 0;
        await UntilAsync(
            () => Task.FromResult((partner = ProcessFamily.Marked($"MARK={mark}").SingleOrDefault(pid => pid != bench.Id)) != 0));
        Signals.Send(partner, signal);
        return (bench, partner);
    }

    private static async Task<(int Code, string Error)> EndAsync(Process command)
    {
        var output = command.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = command.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await command.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Limit);
        await output;
        return (command.ExitCode, await error);
    }

    private static Task<string?> ReadLineAsync(Process process) =>
        process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Limit);

    private static Process Start((string Verb, string[] Arguments) command, (string Name, string Value) variable)
    {
        var start = new ProcessStartInfo(CoordinatorProcess.CommandPath, [command.Verb, .. command.Arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[variable.Name] = variable.Value;
        return Process.Start(start)!;
    }
}
