using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>Workers that die: tasks running there are lost with a post-mortem, everything else continues unaffected.</summary>
[Trait("Kind", "slow")]
public sealed class WorkerDeathTests
{
    [Fact]
    public async Task SIGKILL_loses_exactly_what_ran_there_and_a_successor_serves()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync([.. CoordinatorProcess.HotSpare, "--allow-chaos"]);
        // It has reported progress, so it has certainly started, and it waits for a second item that never comes.
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        await queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = "q" } }, CoordinatorProcess.Deadline());
        await queues.PutAsync(
            new PutRequest { Queue = "q", Items = { new QueueItem { Body = Payloads.FromJson("1") } } }, CoordinatorProcess.Deadline());
        var waiting = (await coordinator.SubmitAsync(Specs.Json("consume", """{"queue": "q", "count": 2}"""))).Single();
        TaskInfo started;
        do
            started = (await coordinator.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = waiting }, CoordinatorProcess.Deadline())).Task;
        while (started.Progress is not { Completed: 1 });

        var victim = (await coordinator.WorkersAsync()).Single(
            worker => $"{worker.Name}#{worker.Incarnation}" == started.Attempts[^1].Worker);
        var sleeps = await coordinator.SubmitAsync(
            Enumerable.Range(0, 100).Select(i => Specs.Json("sleep", """{"ms": 5000}""", tag: (ulong)i)));
        Signals.Send(victim.Pid, Signals.Kill);
        var lost = await coordinator.WaitForEventAsync("worker.lost");
        Assert.StartsWith(victim.Name, lost.Subject, StringComparison.Ordinal);
        await coordinator.WaitForEventAsync("worker.ready", item => item.Sequence > lost.Sequence);
        // The successor serves.
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 5}"""))).State);

        var results = (await coordinator.WaitAsync([.. sleeps, waiting])).ToArray();
        var name = $"{victim.Name}#{victim.Incarnation}";
        Assert.Equal(101, results.Length);
        Assert.Contains(results, result => result.Worker == name);
        foreach (var result in results)
        {
            if (result.Worker != name)
            {
                Assert.Equal(TaskState.Succeeded, result.State);
                continue;
            }

            Assert.Equal(TaskState.WorkerLost, result.State);
            Assert.Equal(ErrorReason.WorkerLost, result.Error.Reason);
            Assert.Equal("SIGKILL (9)", result.Error.PostMortem.Signal);
            Assert.Equal(victim.Pid, result.Error.PostMortem.Pid);
            Assert.True(result.Error.PostMortem.PeakRssBytes > 10_000_000);
        }

        Assert.Equal(TaskState.WorkerLost, results.Single(result => result.TaskId == waiting).State);
    }

    [Fact]
    public async Task What_the_runtime_of_a_killed_worker_leaves_behind_is_removed()
    {
        using var folder = new TemporaryDirectory();
        await using var coordinator = await CoordinatorProcess.StartAsync(
            new Dictionary<string, string> { ["TMPDIR"] = folder.Path }, "--workers", "1",
            "--worker-command", $"{CoordinatorProcess.BuiltCommandPath} worker");
        var victim = (await coordinator.WorkersAsync())[0];
        string[] Files() => Directory.GetFiles(folder.Path, $"*-{victim.Pid}-*");
        Assert.NotEmpty(Files());
        Signals.Send(victim.Pid, Signals.Kill);
        await coordinator.WaitForEventAsync("worker.lost");
        Assert.Empty(Files());
    }

    [Fact]
    public async Task Prefetched_tasks_that_had_not_started_run_elsewhere_as_their_first_attempt()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync(
            [.. CoordinatorProcess.HotSpare, "--allow-chaos", "--workers", "1"]);
        // Its run time becomes known as short, so that a window is sent ahead behind the crash.
        await coordinator.StreamAsync(Enumerable.Range(0, 50).Select(i => Specs.Json("fibonacci", """{"n": 5}""", tag: (ulong)i)));
        var results = await coordinator.StreamAsync(
            [Specs.Json("crash", tag: 1_000), .. Enumerable.Range(0, 100).Select(
                i => Specs.Json("fibonacci", """{"n": 5}""", tag: (ulong)i))]);
        var crash = results.Single(result => result.Tag == 1_000);
        Assert.Equal(TaskState.WorkerLost, crash.State);
        Assert.Equal("SIGSEGV (11)", crash.Error.PostMortem.Signal);
        Assert.All(results.Where(result => result.Tag != 1_000), result =>
        {
            Assert.Equal(TaskState.Succeeded, result.State);
            Assert.Equal(1, result.Attempt);
        });
    }

    [Theory]
    [InlineData("exit", """{"code": 42}""", "exited with code 42")]
    [InlineData("exit", """{"code": 0}""", "exited with code 0")]
    [InlineData("abort", "{}", "SIGABRT (6)")]
    [InlineData("stack_overflow", "{}", "SIGABRT (6)")]
    public async Task The_cause_of_a_death_stands_in_the_error(string handler, string input, string cause)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync(
            [.. CoordinatorProcess.HotSpare, "--allow-chaos", "--workers", "1"]);
        var result = await coordinator.RunAsync(Specs.Json(handler, input));
        Assert.Equal(TaskState.WorkerLost, result.State);
        Assert.Contains(cause, result.Error.Message, StringComparison.Ordinal);
        if (handler is "stack_overflow")
            Assert.Contains(result.Error.PostMortem.LastStderrLines, line => line.Contains("tack overflow", StringComparison.Ordinal));
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 5}"""))).State);
    }

    [Fact]
    public async Task A_task_that_kills_workers_is_retried_as_asked_and_then_quarantined()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync([.. CoordinatorProcess.HotSpare, "--allow-chaos"]);
        var result = await coordinator.RunAsync(Specs.Json("crash", options: new TaskOptions
        {
            Retry = new RetryPolicy { MaxAttempts = 3, InitialBackoff = Specs.Seconds(0.01), RetryWorkerLost = true },
        }));
        Assert.Equal(TaskState.WorkerLost, result.State);
        Assert.Equal(ErrorReason.Quarantined, result.Error.Reason);
        Assert.Equal(3, result.Attempt);
        var info =
            (await coordinator.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = result.TaskId }, CoordinatorProcess.Deadline())).Task;
        Assert.Equal([1, 2, 3], info.Attempts.Select(attempt => attempt.Number));
        Assert.Equal(3, info.Attempts.Select(attempt => attempt.Worker).Distinct().Count());
    }

    [Fact]
    public async Task A_worker_that_cannot_be_started_is_given_up_and_the_service_stays_up()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--worker-command", "/bin/false");
        var workers = await coordinator.WorkersAsync();
        Assert.All(workers, worker => Assert.Equal(WorkerState.Failed, worker.State));
        Assert.All(workers, worker => Assert.Contains("exited with code 1", worker.LastExit, StringComparison.Ordinal));
        using var http = new HttpClient { BaseAddress = new Uri(coordinator.HttpAddress) };
        Assert.StartsWith("degraded", await http.GetStringAsync(
            new Uri("/readyz", UriKind.Relative), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        // The in-process placements do not need workers.
        var result = await coordinator.RunAsync(
            Specs.Json("fibonacci", """{"n": 5}""", new TaskOptions { Placement = Placement.InProcessThreads }));
        Assert.Equal(TaskState.Succeeded, result.State);
        ExpectedErrors(coordinator);
    }

    [Fact]
    public async Task A_frozen_worker_is_killed_for_its_silence()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync([.. CoordinatorProcess.HotSpare]);
        var victim = (await coordinator.WorkersAsync())[1];
        Signals.Send(victim.Pid, Signals.Stop);
        var lost = await coordinator.WaitForEventAsync("worker.lost");
        Assert.Equal($"{victim.Name}#{victim.Incarnation}", lost.Subject);
        Assert.Contains("no heartbeat", lost.Message, StringComparison.Ordinal);
        await coordinator.WaitForEventAsync(
            "worker.ready", item => item.Sequence > lost.Sequence && item.Subject.StartsWith(victim.Name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Handlers_that_block_every_pool_thread_do_not_silence_a_worker()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync(
            [.. CoordinatorProcess.HotSpare, "--allow-chaos", "--workers", "1"]);
        var ids = await coordinator.SubmitAsync(Enumerable.Range(0, 30).Select(_ => Specs.Json("blocking_sleep", """{"ms": 7000}""")));
        await coordinator.WaitUntilRunningAsync(ids[^1]);
        var results = await coordinator.WaitAsync(ids);
        Assert.All(results, result => Assert.Equal(TaskState.Succeeded, result.State));
        Assert.Single(results.Select(result => result.Worker).Distinct());
    }

    // This test provokes logged errors; they are excluded from the check for unexpected ones.
    private static void ExpectedErrors(CoordinatorProcess coordinator) => coordinator.ExpectError("is given up after");
}
