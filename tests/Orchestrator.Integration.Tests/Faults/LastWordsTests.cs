using System.Text;
using Orchestrator.Cli.Commands.Objects;
using Orchestrator.Client.Tasks;
using Orchestrator.Coordinator.Supervision;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>Part 5, 9: the first lines of a worker's last output matter most, and they reach the task's error and the log.</summary>
public sealed class LastWordsTests
{
    [Theory]
    [InlineData("fail_fast", "Process terminated. | the model is corrupt")]
    [InlineData("unhandled", "Unhandled exception. System.IO.InvalidDataException: the model is corrupt")]
    public async Task However_deep_the_stack_type_and_message_and_first_frames_are_kept(string handler, string first)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync(
            ["--workers", "1", .. TestWorker.Arguments(Environment.ProcessPath!)]);
        var result = await coordinator.RunAsync(Specs.Json(handler, "200"));
        Assert.Equal(TaskState.WorkerLost, result.State);
        var lines = result.Error.PostMortem.LastStderrLines;
        Assert.StartsWith(first, string.Join(" | ", lines), StringComparison.Ordinal);
        Assert.Contains(lines.Take(6), line => line.Contains("TestHandlers.", StringComparison.Ordinal));
        Assert.InRange(lines.Count, 2, 21);
        var lost = await coordinator.WaitForEventAsync("worker.lost");
        Assert.Contains($"its last words: {first}", lost.Message, StringComparison.Ordinal);
        Assert.Contains("TestHandlers.", lost.Message, StringComparison.Ordinal);
        await SaysAsync(coordinator, $"its last words: {first}");
    }

    [Fact]
    public async Task So_are_those_of_a_stack_overflow()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--allow-chaos", "--workers", "1");
        var result = await coordinator.RunAsync(Specs.Json("stack_overflow"), seconds: 60);
        Assert.StartsWith("Stack overflow.", result.Error.PostMortem.LastStderrLines[0], StringComparison.Ordinal);
        Assert.Contains(result.Error.PostMortem.LastStderrLines, line => line.Contains("ChaosHandlers.Descend", StringComparison.Ordinal));
        await SaysAsync(coordinator, "its last words: Stack overflow.");
    }

    [Fact]
    public async Task A_task_whose_worker_was_killed_for_its_silence_says_so()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1");
        var id = (await coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 60000}"""))).Single();
        await coordinator.WaitUntilRunningAsync(id);
        Signals.Send((await coordinator.WorkersAsync()).Single().Pid, Signals.Stop);
        var result = (await coordinator.WaitAsync([id])).Single();
        Assert.Equal(TaskState.WorkerLost, result.State);
        Assert.Matches(@"was killed by SIGKILL \(9\) while it ran the task: it sent no heartbeat for \d+\.\d s$", result.Error.Message);
    }

    /// <summary>Related case: a worker that the supervisor ended for another reason reports that reason.</summary>
    [Fact]
    public async Task So_does_the_neighbour_of_a_task_that_ignored_its_cancellation()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--allow-chaos", "--workers", "1");
        var neighbour = (await coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 120000}"""))).Single();
        await coordinator.WaitUntilRunningAsync(neighbour);
        var culprit = await coordinator.RunAsync(Specs.Json(
            "spin", """{"ms": 100000}""", new TaskOptions { RunTimeout = Specs.Seconds(0.1), CancelGrace = Specs.Seconds(0.1) }));
        Assert.Equal(TaskState.TimedOut, culprit.State);
        var result = (await coordinator.WaitAsync([neighbour], seconds: 60)).Single();
        Assert.Equal(TaskState.WorkerLost, result.State);
        Assert.EndsWith("while it ran the task: it was condemned, since a task ignored its cancellation", result.Error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Of_what_is_no_report_the_last_lines_are_kept()
    {
        var lines = Lines(Enumerable.Range(1, 100).Select(i => $"line {i}"), out var isReport);
        Assert.False(isReport);
        Assert.Equal("line 100", lines[^1]);
        Assert.InRange(lines.Count, 20, 21);
    }

    [Fact]
    public void Of_a_report_the_first_and_the_last_are_kept_and_what_lies_between_is_counted()
    {
        var lines = Lines(["ready", "Unhandled exception. System.Exception: it broke", "   in two lines", .. Enumerable.Range(1, 1_000)
            .Select(i => $"   at Frame{i}()")], out var isReport);
        Assert.True(isReport);
        Assert.Equal(["Unhandled exception. System.Exception: it broke", "   in two lines", "   at Frame1()"], lines.Take(3));
        Assert.Contains("… 982 lines …", lines);
        Assert.Equal("   at Frame1000()", lines[^1]);
    }

    [Fact]
    public void A_report_after_which_it_goes_on_talking_was_none()
    {
        var lines = Lines(["worker: work posted to io-1 failed: System.Exception: no luck", .. Enumerable.Range(1, 30)
            .Select(i => $"line {i}")], out var isReport);
        Assert.False(isReport);
        Assert.Equal("line 30", lines[^1]);
    }

    [Fact]
    public void A_cause_in_a_long_line_is_not_cut_where_other_lines_are()
    {
        var lines = Lines([new string('x', 700), "Process terminated. " + new string('y', 1_000) + "!"], out _);
        Assert.EndsWith("y!", lines[0], StringComparison.Ordinal);
        Assert.Equal(new string('x', 500) + "…", Lines([new string('x', 700)], out _)[0]);
    }

    private static Task SaysAsync(CoordinatorProcess coordinator, string text) => Waits.UntilAsync(async () =>
    {
        await coordinator.WorkersAsync();
        return coordinator.Output.Contains(text, StringComparison.Ordinal);
    });

    private static IReadOnlyList<string> Lines(IEnumerable<string> lines, out bool isReport)
    {
        var ring = new OutputRingBuffer();
        ring.Append(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
        return ring.LastLines(out isReport);
    }
}
