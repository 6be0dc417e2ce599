using Orchestrator.Cli.Common;
using Orchestrator.Client.Tasks;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>Part 5, 30: the command's output on a terminal of 80 columns, and in a pipe.</summary>
[Collection(AloneOnTheMachine.Name)]
public sealed class NarrowTerminalTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private const int Columns = 80;

    private string At => $"--data-dir {shared.Coordinator.DataDirectory}";

    [Fact]
    public async Task Tasks_tells_age_and_duration_and_no_null_for_an_output_that_it_does_not_have()
    {
        var coordinator = shared.Coordinator;
        await coordinator.Tasks.RunTaskAsync(
            new RunTaskRequest { Task = Specs.Json("sleep", """{"ms": 30}""") }, CoordinatorProcess.Deadline());
        // One task runs, and one waits for it.
        var options = new TaskOptions { ConcurrencyKey = "narrow", ConcurrencyLimit = 1 };
        var running = (await coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 600000}""", options))).Single();
        await coordinator.WaitUntilRunningAsync(running);
        var waiting = (await coordinator.SubmitAsync(Specs.Json("echo", "1", options))).Single();
        var (code, output) = await TestKit.CommandLine.RunAsync("tasks", "--limit", "3", "--data-dir", coordinator.DataDirectory);
        Assert.Equal(ExitCode.Ok, code);
        var rows = output.TrimEnd('\n').Split('\n').Select(line => line.Split('\t')).Where(cells => cells.Length > 1).ToArray();
        Assert.Equal(["task", "handler", "state", "age", "ran", "attempts", "worker", "result"], rows[0]);
        Assert.Equal([$"{waiting}", "echo", "queued", "–"], [rows[1][0], rows[1][1], rows[1][2], rows[1][4]]);
        Assert.Equal([$"{running}", "sleep", "running"], rows[2][..3]);
        Assert.All(rows[1..], row => Assert.Matches("^[0-9.]+ (µs|ms|s)$", row[3]));
        Assert.All(rows[2..], row => Assert.Matches("^[0-9.]+ (µs|ms|s)$", row[4]));
        Assert.Equal(["succeeded", "–"], [rows[3][2], rows[3][7]]);

        await using var terminal = TerminalProcess.Command($"tasks --limit 3 {At}", Columns, 24);
        Assert.Equal(ExitCode.Ok, await terminal.EndAsync());
        var lines = new TerminalScreen(terminal.Raw, Columns, 24).Lines;
        // Each task on one line, with its times.
        Assert.Contains(
            lines, line => line.Contains($" {waiting} ", StringComparison.Ordinal) && line.Contains(" queued ", StringComparison.Ordinal));
        Assert.Contains(
            lines, line => line.Contains(" succeeded ", StringComparison.Ordinal) && line.Contains(" ms ", StringComparison.Ordinal));
        await coordinator.Tasks.CancelTasksAsync(
            new CancelTasksRequest { TaskIds = { running, waiting }, Force = true }, CoordinatorProcess.Deadline());
    }

    [Fact]
    public async Task Top_shows_all_of_its_header()
    {
        await using var top = TerminalProcess.Command($"top {At}", Columns, 24);
        await top.SeeAsync("worker-1#");
        var screen = new TerminalScreen(top.Raw, Columns, 24);
        await top.PressAsync("q");
        Assert.Equal(ExitCode.Ok, await top.EndAsync());
        Assert.StartsWith("Coordinator ", screen.Lines[0], StringComparison.Ordinal);
        var header = string.Join(" ", screen.Lines.TakeWhile(line => line.Length > 0));
        // Other tests may have left one or several objects.
        foreach (var part in new[] { shared.Coordinator.GrpcAddress, "% CPU", "threads", "session", "queue", "queued", "running",
            "succeeded", "failed", "cancelled", "timed out", "lost", "retried", "q quit", "d drain" })
            Assert.Contains(part, header, StringComparison.Ordinal);
        Assert.DoesNotContain("…", header, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limits_breaks_no_name_in_two()
    {
        await using var terminal = TerminalProcess.Command($"limits {At}", Columns, 400);
        Assert.Equal(ExitCode.Ok, await terminal.EndAsync());
        var lines = new TerminalScreen(terminal.Raw, Columns, 400).Lines;
        var limits = (await shared.Coordinator.Admin.ListLimitsAsync(new ListLimitsRequest(), CoordinatorProcess.Deadline())).Limits;
        Assert.All(
            limits, limit => Assert.Contains(lines, line => line.TrimStart().StartsWith(limit.Name + " ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Results_and_remarks_leave_nothing_of_the_bar_and_are_not_folded()
    {
        await using var terminal = TerminalProcess.Command($$"""run sleep '{"ms": 150}' --count 3 -o json {{At}}""", Columns, 24);
        Assert.Equal(ExitCode.Ok, await terminal.EndAsync());
        // The terminal wraps a long line itself, so a copy of it is complete.
        var lines = new TerminalScreen(terminal.Raw, 400, 24).Lines.Where(line => line.Contains("task_id", StringComparison.Ordinal))
            .ToArray();
        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => System.Text.Json.JsonDocument.Parse(line).Dispose());
    }

    [Fact]
    public async Task Events_of_tasks_stand_above_the_bar_where_results_go_into_a_file()
    {
        await CreateQueueAsync("narrow-events");
        await using var terminal = TerminalProcess.Command(
            $$"""run produce '{"queue": "narrow-events", "count": 3}' --count 3 --events {{At}} > /dev/null""", Columns, 24);
        Assert.Equal(ExitCode.Ok, await terminal.EndAsync());
        var lines = new TerminalScreen(terminal.Raw, Columns, 24).Lines;
        var said = lines.Where(line => line.StartsWith("task ", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(said);
        Assert.All(said, line => Assert.Matches("^task [0-9]+: 3 of 3$", line));
        Assert.Contains(lines, line => line.StartsWith("3 tasks in ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("&")]
    [InlineData("; bg;")]
    public async Task A_job_in_the_background_draws_no_bar_over_what_runs_in_front(string toTheBackground)
    {
        var isStopped = toTheBackground != "&";
        await using var terminal = TerminalProcess.Shell(
            $$"""set -m; stty cols 80 rows 24; {{CoordinatorProcess.CommandPath}} run sleep '{"ms": 1500}' --count 2 {{At}} {{toTheBackground}} echo in front; wait; echo over""",
            [], "/");
        if (isStopped)
        {
            await terminal.SeeAsync("0%");
            await terminal.PressAsync("\u001a");
        }

        await terminal.SeeAsync("in front");
        await terminal.SeeAsync("2 tasks in ");
        await terminal.SeeAsync("over");
        var behind = terminal.Raw[terminal.Raw.IndexOf("in front", StringComparison.Ordinal)..];
        Assert.DoesNotMatch(@"\e\[[0-9;]*[A-HJK]", behind);
        Assert.DoesNotContain("━", behind, StringComparison.Ordinal);
        // Before the first of them the runtime sends the terminal its keypad mode.
        Assert.Equal(2, behind.Split('\n').Count(line => line.TrimEnd().EndsWith("1500", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_banner_proposes_a_handler_that_some_worker_has()
    {
        HandlerInfo[] stock = [With("echo", "1"), With("sum_of_squares", """{"n": 1000000}""")];
        Assert.Contains("""run sum_of_squares '{"n":1000000}' --data-dir /tmp""", Banner(stock), StringComparison.Ordinal);
        // After shell unquoting, the printed text is the input.
        var own = Banner([new HandlerInfo { Name = "opaque" }, With("greet", """{"who": "it's"}""")]);
        Assert.DoesNotContain("sum_of_squares", own, StringComparison.Ordinal);
        Assert.Contains("""run greet '{"who":"it'\''s"}' --data-dir /tmp""", own, StringComparison.Ordinal);
        Assert.Contains("""-d '{"task":{"handler":"greet","input":{"json":{"who":"it'\''s"}}}}'""", own, StringComparison.Ordinal);
        var opaque = Banner([new HandlerInfo { Name = "opaque" }]);
        Assert.Contains("run opaque --data-dir /tmp", opaque, StringComparison.Ordinal);
        Assert.Contains("""-d '{"task":{"handler":"opaque"}}'""", opaque, StringComparison.Ordinal);
        Assert.Contains("No worker offers a handler yet.", Banner([]), StringComparison.Ordinal);

        static HandlerInfo With(string name, string example) => new() { Name = name, ExampleInput = Payloads.FromJson(example) };
        static string Banner(HandlerInfo[] handlers) =>
            Cli.Commands.ServeBanner.Write(
                new CoordinatorAddresses("http://127.0.0.1:7600", "http://127.0.0.1:7601", "/tmp/token", null, []), handlers, "/tmp");
    }

    [Fact]
    public async Task The_line_that_the_banner_proposes_works()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync(
            "--workers", "0", "--worker-command", $"mine=1:{CoordinatorProcess.CommandPath} worker");
        await Waits.UntilAsync(() => Task.FromResult(coordinator.Output.Contains("Ctrl-C stops it", StringComparison.Ordinal)));
        var proposed = coordinator.Output.Split('\n').Single(
            line => line.Contains(" run ", StringComparison.Ordinal) && line.Contains("--data-dir", StringComparison.Ordinal));
        await using var shell = TerminalProcess.Shell(proposed, [], "/");
        Assert.Equal(ExitCode.Ok, await shell.EndAsync());
    }

    private async Task CreateQueueAsync(string name) => await new QueueService.QueueServiceClient(shared.Coordinator.Invoker)
        .CreateQueueAsync(
            new CreateQueueRequest { Spec = new QueueSpec { Name = name, Kind = QueueKind.Fifo } }, CoordinatorProcess.Deadline());
}

/// <summary>
/// Tests that run after all others: under load a job that a shell continues in the background is sometimes stopped again.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneOnTheMachine
{
    public const string Name = "alone on the machine";
}
