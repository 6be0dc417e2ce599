using System.Diagnostics;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>
/// The unit in <c>deploy/</c>, verified by systemd itself. Another test checks that a started coordinator notifies systemd when it is
/// ready.
/// </summary>
public sealed class SystemdUnitTests
{
    private const string Analyzer = "/usr/bin/systemd-analyze";

    [Theory]
    [InlineData(null, null)]
    [InlineData("Type=notify", "Failed to parse service type")]
    public async Task The_unit_is_understood_and_a_fault_in_it_would_be_seen(string? broken, string? complaint)
    {
        if (!File.Exists(Analyzer))
            Assert.Skip($"{Analyzer} is not there");
        using var directory = new TemporaryDirectory();
        var unit = (await File.ReadAllTextAsync(Repository.PathOf("deploy", "orchestrator.service"), TestContext.Current.CancellationToken))
            .Replace("/opt/orchestrator/orchestrator", CoordinatorProcess.CommandPath, StringComparison.Ordinal);
        Assert.Contains($"ExecStart={CoordinatorProcess.CommandPath} serve", unit, StringComparison.Ordinal);
        if (broken is not null)
            unit = unit.Replace(broken, broken + "d", StringComparison.Ordinal);
        var file = Path.Combine(directory.Path, "orchestrator.service");
        await File.WriteAllTextAsync(file, unit, TestContext.Current.CancellationToken);
        using var process = Process.Start(
            new ProcessStartInfo(Analyzer, ["verify", "--man=no", file]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var said = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        // Ignores faults in other units of this machine.
        var about = string.Join('\n', said.Split('\n').Where(line => line.Contains("orchestrator.service", StringComparison.Ordinal)));
        if (complaint is null)
            Assert.Equal("", about);
        else
            Assert.Contains(complaint, about, StringComparison.Ordinal);
    }
}
