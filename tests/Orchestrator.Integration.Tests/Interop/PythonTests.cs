using Orchestrator.Integration.Tests.Scenarios;

namespace Orchestrator.Integration.Tests.Interop;

/// <summary>The scripts of <c>tests/Interop/python</c>, written against the protos alone, with a real coordinator.</summary>
public sealed class PythonTests(SharedCoordinator shared, PythonStubs stubs) : IClassFixture<SharedCoordinator>, IClassFixture<PythonStubs>
{
    [Fact]
    public async Task RunTask_computes_and_keeps_every_digit()
    {
        var run = await RunAsync("run_task.py", "sum_of_squares", """{"n": 1000000}""");
        Assert.Equal("\"333332833333500000\"", run.Succeeded().Trim());
    }

    [Fact]
    public async Task RunTask_of_a_failing_task_tells_why()
    {
        var run = await RunAsync("run_task.py", "sum_of_squares", """{"n": "many"}""");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("TASK_STATE_FAILED", run.Error, StringComparison.Ordinal);
        Assert.Contains("many", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_token_is_told_where_the_right_one_lies()
    {
        var run = await RunAsync("run_task.py", "sum_of_squares", """{"n": 1}""", token: "wrong");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("UNAUTHENTICATED", run.Error, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(shared.Coordinator.DataDirectory, "token"), run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StreamTasks_carries_ten_thousand_tasks_in_and_results_out()
    {
        var run = await RunAsync("stream_tasks.py", "10000");
        Assert.StartsWith("10000 tasks, 10000 right", run.Succeeded(), StringComparison.Ordinal);
    }

    private Task<ToolRun> RunAsync(string script, string first, string? second = null, string? token = null) =>
        stubs.RunAsync(shared.Coordinator, script, second is null ? [first] : [first, second], token);
}
