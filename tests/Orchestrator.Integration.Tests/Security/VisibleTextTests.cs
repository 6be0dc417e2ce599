using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>
/// Part 5, 22: names and texts of others reach the operator's terminal as plain text: they move no cursor, set no colour and begin no row.
/// </summary>
public sealed class VisibleTextTests
{
    [Fact]
    public async Task The_message_of_a_failed_task_and_the_name_of_a_session_forge_nothing_on_the_operators_terminal()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0", "--allow-chaos");
        var (code, output) = await CommandLine.RunAsync(
            "run", "throw", """{"message": "\u001b[2Jgone\nworker-9 ready"}""", "--data-dir", coordinator.DataDirectory);
        Assert.NotEqual(0, code);
        // Only the first line of the message is shown.
        Assert.Equal("failed: System.InvalidOperationException: \\u001b[2Jgone", output.Trim());
        Assert.DoesNotContain('\u001b', output);
        var session = await coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { DisplayName = "\u001b[31mroot\nforged", Ttl = Specs.Seconds(60) }, CoordinatorProcess.Deadline());
        await coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "build", SessionId = session.SessionId }, CoordinatorProcess.Deadline());
        var waiting = coordinator.Sync.AcquireLockAsync(new AcquireLockRequest { Lock = "build" }, CoordinatorProcess.Deadline(60));
        await UntilAsync(async () => (await coordinator.Admin.ExplainWaitsAsync(
            new ExplainWaitsRequest(), CoordinatorProcess.Deadline())).Edges.Any(edge => edge.Object == "locks/build"));
        var (_, waits) = await CommandLine.RunAsync("waits", "--data-dir", coordinator.DataDirectory);
        Assert.Contains("\\u001b[31mroot\\nforged", waits, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', waits);
        waiting.Dispose();
    }
}
