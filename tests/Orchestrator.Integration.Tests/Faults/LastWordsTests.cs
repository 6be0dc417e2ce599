using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>Part 5, 9: the first lines of a worker's last output matter most, and they reach the task's error and the log.</summary>
[Trait("Kind", "slow")]
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
        // Native code keeps no names for it.
        var stack = CoordinatorProcess.HasNativeWorkers ? "--worker-runtime jit" : "ChaosHandlers.Descend";
        Assert.Contains(result.Error.PostMortem.LastStderrLines, line => line.Contains(stack, StringComparison.Ordinal));
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
            "hang", options: new TaskOptions { RunTimeout = Specs.Seconds(0.1), CancelGrace = Specs.Seconds(0.1) }));
        Assert.Equal(TaskState.TimedOut, culprit.State);
        var result = (await coordinator.WaitAsync([neighbour], seconds: 60)).Single();
        Assert.Equal(TaskState.WorkerLost, result.State);
        Assert.EndsWith("while it ran the task: it was condemned, since a task ignored its cancellation", result.Error.Message,
            StringComparison.Ordinal);
    }

    private static Task SaysAsync(CoordinatorProcess coordinator, string text) => Waits.UntilAsync(async () =>
    {
        await coordinator.WorkersAsync();
        return coordinator.Output.Contains(text, StringComparison.Ordinal);
    });
}
