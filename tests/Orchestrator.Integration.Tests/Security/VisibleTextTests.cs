using Orchestrator.Protocol;
using Orchestrator.TestKit;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>
/// Part 5, 22: names and texts of others reach the operator's terminal as plain text: they move no cursor, set no colour and begin no row.
/// </summary>
public sealed class VisibleTextTests
{
    [Theory]
    [InlineData("plain é ☃ 漢", "plain é ☃ 漢")]
    [InlineData("\u001b[2J\u001b[31mred", "\\u001b[2J\\u001b[31mred")]
    [InlineData("a\nworker-9\tREADY\r", "a\\nworker-9\\tREADY\\r")]
    [InlineData("\u009b31m\u0007\u0000\u007f", "\\u009b31m\\u0007\\u0000\\u007f")]
    [InlineData("\u202eevil\u2066\u2028", "\\u202eevil\\u2066\\u2028")]
    public void Control_characters_are_shown(string text, string shown)
    {
        Assert.Equal(shown, VisibleText.Line(text));
        Assert.Equal(shown, VisibleText.Line(VisibleText.Line(text)));
    }

    [Fact]
    public void Lines_keep_their_ends_and_nothing_else()
    {
        Assert.Equal("a\n\tb\\u001b[m\\r", VisibleText.Lines("a\n\tb\u001b[m\r"));
        for (var c = 0; c < 0xa0; c++)
            Assert.Equal(c is '\n' or '\t' or (>= ' ' and < 0x7f), VisibleText.Lines(((char)c).ToString()).Length == 1);
    }

    [Theory]
    [InlineData("fibonacci", true)]
    [InlineData("team/job-1.v2_x", true)]
    [InlineData("", false)]
    [InlineData("two words", false)]
    [InlineData("a\u001b[31m", false)]
    [InlineData("é", false)]
    public void A_handler_has_a_name_of_few_characters(string name, bool isValid)
    {
        Assert.Equal(isValid, HandlerNames.IsValid(name));
        var registry = new TaskHandlerRegistry();
        var error = Record.Exception(
            () => registry.MapTask(name, Worker.Tasks.HandlerKind.Cpu, static (int n, TaskContext _, CancellationToken _) => n));
        Assert.Equal(isValid, error is null);
        if (error is not null)
            Assert.Contains(HandlerNames.Rule, error.Message, StringComparison.Ordinal);
        Assert.False(HandlerNames.IsValid(new string('n', HandlerNames.MaxLength + 1)));
    }

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
