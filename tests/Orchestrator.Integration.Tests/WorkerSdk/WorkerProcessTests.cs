using System.Diagnostics;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Tests;
using Orchestrator.Worker.V1;

namespace Orchestrator.Integration.Tests.WorkerSdk;

/// <summary>What only a process can show: its start, its signals and its deaths.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class WorkerProcessTests
{
    private const int KilledBy = 128;

    [Fact]
    public async Task It_serves_and_exits_cleanly_after_a_drain()
    {
        using var worker = WorkerProcess.Start();
        using var client = await worker.AttachAsync();
        Assert.Equal("55", ExecutorFixture.Text((await client.RunAsync("sum_of_squares", """{"n": 6}""")).Output));
        await client.SendAsync(new ExecuteRequest { Drain = true });
        await client.EndAsync();
        Assert.Equal(0, await worker.ExitCodeAsync());
        Assert.Equal("", await worker.Errors);
    }

    [Fact]
    public async Task The_socket_is_its_users_own()
    {
        using var worker = WorkerProcess.Start();
        using var client = await worker.AttachAsync();
        Assert.Equal(UnixFileMode.None,
            File.GetUnixFileMode(worker.Launch.Socket) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        var limits = await File.ReadAllLinesAsync($"/proc/{worker.Process.Id}/limits", TestContext.Current.CancellationToken);
        Assert.Contains(limits, line => line.StartsWith("Max core file size", StringComparison.Ordinal)
            && line.Contains(" 0 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_exits_when_its_input_ends()
    {
        using var worker = WorkerProcess.Start();
        using var client = await worker.AttachAsync();
        // Neither a busy processor nor a hanging task delays it.
        await client.SendAsync(client.Assign("spin", """{"ms": 60000}"""), client.Assign("hang"));
        worker.Process.StandardInput.Close();
        Assert.Equal(0, await worker.ExitCodeAsync());
    }

    [Fact]
    public async Task It_exits_when_its_stream_breaks()
    {
        using var worker = WorkerProcess.Start();
        var client = await worker.AttachAsync();
        await client.SendAsync(client.Assign("hang", "{}"));
        client.Dispose();
        Assert.Equal(1, await worker.ExitCodeAsync());
    }

    [Fact]
    public async Task Sigint_is_ignored_and_sigterm_drains()
    {
        using var worker = WorkerProcess.Start();
        using var client = await worker.AttachAsync();
        var running = client.Assign("blocking_sleep", """{"ms": 300}""");
        await client.SendAsync(running);
        Signal(worker, "INT");
        Assert.Equal("1", ExecutorFixture.Text((await client.RunAsync("fibonacci", """{"n": 1}""")).Output));
        Signal(worker, "TERM");
        await client.EndAsync();
        Assert.Null((await client.Sink.ResultAsync(running)).Error);
        Assert.Equal(0, await worker.ExitCodeAsync());
    }

    [Fact]
    public async Task Blocked_io_handlers_do_not_hold_up_a_cancel_on_one_processor()
    {
        using var worker = WorkerProcess.Start();
        using var client = await worker.AttachAsync();
        var cancelled = client.Assign("sleep", """{"ms": 86400000}""");
        // An endless query, on the threads that asynchronous handlers run on: only the pool's spare threads go on reading. An empty file is
        // an empty database.
        var database = Path.Combine(Path.GetDirectoryName(worker.Launch.Socket)!, "empty.db");
        await File.WriteAllBytesAsync(database, [], TestContext.Current.CancellationToken);
        const string Endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n";
        var query = $$"""{"database": "{{database}}", "sql": "{{Endless}}"}""";
        var blocked = Enumerable.Range(0, 3).Select(_ => client.Assign("sql_query", query)).ToArray();
        await client.SendAsync([cancelled, .. blocked]);
        await client.SendAsync(new ExecuteRequest { Cancels = { new AttemptRef { TaskId = cancelled.TaskId, Attempt = 1 } } });
        await client.Sink.ResultAsync(cancelled);
        Assert.All(blocked, attempt => Assert.False(client.Sink.IsDone(attempt)));
    }

    [Theory]
    [InlineData("crash", "{}", KilledBy + 11)]
    [InlineData("abort", "{}", KilledBy + 6)]
    [InlineData("stack_overflow", "{}", KilledBy + 6)]
    [InlineData("exit", """{"code": 42}""", 42)]
    public async Task Chaos_kills_it_and_the_recorder_knows_what_had_started(string handler, string input, int exitCode)
    {
        using var worker = WorkerProcess.Start();
        using var client = await worker.AttachAsync();
        Assert.True((await client.RunAsync("fibonacci", """{"n": 1}""")).Error is null);
        Assert.Equal(FlightRecorder.Ended, worker.Slot(0));
        var fatal = client.Assign(handler, input);
        fatal.Slot = 1;
        var behind = client.Assign("fibonacci", """{"n": 1}""");
        behind.Slot = 2;
        await client.SendAsync(fatal, behind);
        Assert.Equal(exitCode, await worker.ExitCodeAsync());
        Assert.Equal(FlightRecorder.Started, worker.Slot(1));
        Assert.Equal(FlightRecorder.Assigned, worker.Slot(2));
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("""{"name": "worker-1"}""")]
    public async Task Without_a_launch_order_it_says_what_it_is(string input)
    {
        using var worker = WorkerProcess.Start(input: input);
        Assert.Equal(2, await worker.ExitCodeAsync());
        var errors = await worker.Errors;
        Assert.Contains("a coordinator starts it", errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task It_does_not_start_for_a_coordinator_that_has_ended()
    {
        using var worker = WorkerProcess.Start(launch => launch.CoordinatorPid = 1);
        Assert.Equal(1, await worker.ExitCodeAsync());
    }

    private static void Signal(WorkerProcess worker, string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, $"{worker.Process.Id}"]);
        Assert.True(kill.WaitForExit(ExecutorFixture.Limit));
        Assert.Equal(0, kill.ExitCode);
    }
}
