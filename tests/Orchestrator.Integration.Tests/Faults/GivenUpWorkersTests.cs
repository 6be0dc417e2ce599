using Orchestrator.Cli.Common;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.TestKit;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// Part 5, 8: workers that do not start. A task that no living group can run fails at once with an explanation, and every status display
/// says the same.
/// </summary>
[Trait("Kind", "slow")]
public sealed class GivenUpWorkersTests
{
    [Theory]
    [InlineData("/bin/sh -c 'echo no such model >&2; exit 3'", "exited with code 3; its last words: no such model")]
    [InlineData("/bin/sh -c 'kill -9 $$'", "was killed by SIGKILL (9)")]
    [InlineData("/no/such/program", "/no/such/program")]
    [InlineData("/bin/true", "exited with code 0")]
    public async Task Tasks_that_wait_and_those_that_come_fail_with_the_groups_last_words(string command, string cause)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--worker-command", command);
        coordinator.ExpectError("is given up after");
        foreach (var task in new[] { Specs.Json("fibonacci", """{"n": 5}"""), Specs.Json("fibonaci") })
        {
            var result = await coordinator.RunAsync(task);
            Assert.Equal((TaskState.Failed, ErrorReason.WorkerLost), (result.State, result.Error.Reason));
            Assert.Contains($"no living worker group can run '{task.Handler}': group 'worker' was given up after 5 early deaths",
                result.Error.Message, StringComparison.Ordinal);
            Assert.Contains(cause, result.Error.Message, StringComparison.Ordinal);
            Assert.Contains("'orchestrator recycle'", result.Error.Message, StringComparison.Ordinal);
        }

        // Over a stream, for a waiting caller, and in-process placements as always.
        Assert.All(await coordinator.StreamAsync(
            Enumerable.Range(0, 10).Select(_ => Specs.Json("echo", "1"))), result => Assert.Equal(TaskState.Failed, result.State));
        var ids = await coordinator.SubmitAsync(Specs.Json("echo", "1"));
        Assert.Equal(TaskState.Failed, (await coordinator.WaitAsync(ids)).Single().State);
        Assert.Equal(TaskState.Succeeded,
            (await coordinator.RunAsync(Specs.Json("echo", "1", new TaskOptions { Placement = Placement.InProcessThreads }))).State);
    }

    [Fact]
    public async Task Every_place_where_somebody_would_look_says_so_and_what_helps()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync(
            "--worker-command", "/bin/sh -c 'echo no such model >&2; exit 3'");
        coordinator.ExpectError("is given up after");
        Assert.Contains("GIVEN UP: exited with code 3; its last words: no such model", coordinator.Output, StringComparison.Ordinal);
        var (run, said) = await Command("run", "echo", "1");
        Assert.Equal(ExitCode.TaskFailed, run);
        Assert.Contains("group 'worker' was given up", said, StringComparison.Ordinal);
        Assert.Contains("no such model", said, StringComparison.Ordinal);
        Assert.Contains("orchestrator recycle", said, StringComparison.Ordinal);
        foreach (var verb in new[] { "status", "workers", "doctor" })
        {
            var (code, text) = await Command(verb);
            Assert.Equal(verb == "doctor" ? ExitCode.TaskFailed : ExitCode.Ok, code);
            Assert.Contains(
                "Worker group 'worker' has been given up, and tasks that only it can run fail. worker-2 exited with code 3; its last " +
                "words: no such model.", text, StringComparison.Ordinal);
            Assert.Contains("'orchestrator recycle", text, StringComparison.Ordinal);
        }

        using var http = new HttpClient();
        var ready = await http.GetStringAsync(new Uri(coordinator.HttpAddress + "/readyz"), TestContext.Current.CancellationToken);
        Assert.StartsWith("degraded: worker group 'worker' has been given up, and its tasks fail", ready, StringComparison.Ordinal);
        // Callers without a credential do not see what the worker printed.
        Assert.DoesNotContain("model", ready, StringComparison.Ordinal);

        async Task<(int, string)> Command(params string[] words) =>
            await TestKit.CommandLine.RunAsync([.. words, "--data-dir", coordinator.DataDirectory]);
    }

    [Fact]
    public async Task A_group_that_is_given_up_keeps_nobody_waiting_whom_another_can_serve()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--worker-command", "broken=1:/bin/false");
        coordinator.ExpectError("is given up after");
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 5}"""))).State);
        var result = await coordinator.RunAsync(Specs.Json("only_there"));
        Assert.Equal(ErrorReason.WorkerLost, result.Error.Reason);
        Assert.Contains("group 'broken' was given up", result.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Once_the_cause_is_mended_a_recycle_lets_tasks_wait_and_run()
    {
        using var directory = new TemporaryDirectory();
        var script = Path.Combine(directory.Path, "worker");
        await File.WriteAllTextAsync(script, "#!/bin/sh\nexit 7\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using var coordinator = await CoordinatorProcess.StartAsync("--worker-command", script);
        coordinator.ExpectError("is given up after");
        Assert.Equal(TaskState.Failed, (await coordinator.RunAsync(Specs.Json("echo", "1"))).State);
        await File.WriteAllTextAsync(script, $"#!/bin/sh\nexec {CoordinatorProcess.CommandPath} worker\n");
        var recycling = coordinator.Admin.RecycleWorkersAsync(new RecycleWorkersRequest(), CoordinatorProcess.Deadline()).ResponseAsync;
        await recycling;
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("echo", "1"))).State);
        using var http = new HttpClient();
        Assert.Equal(
            "ready\n", await http.GetStringAsync(new Uri(coordinator.HttpAddress + "/readyz"), TestContext.Current.CancellationToken));
    }

    /// <summary>Related case: tasks that kill their worker are at fault themselves.</summary>
    [Fact]
    public async Task Tasks_that_kill_their_workers_do_not_have_the_group_given_up()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--allow-chaos", "--workers", "1", "--hot-spares", "0");
        for (var i = 0; i < 7; i++)
            Assert.Equal(TaskState.WorkerLost, (await coordinator.RunAsync(Specs.Json("crash"), seconds: 60)).State);
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("echo", "1"), seconds: 60)).State);
    }

    /// <summary>Related case: a start that fails later than a crash loop allows, by itself or by the start limit.</summary>
    [Theory]
    [InlineData("sleep 0.2; echo no such model >&2; exit 3", "exited with code 3; its last words: no such model")]
    [InlineData("exec sleep 1000", "it did not say Hello within ")]
    public async Task A_worker_that_takes_long_to_fail_its_start_is_given_up_too(string script, string cause)
    {
        using var directory = new TemporaryDirectory();
        await using var coordinator = CoordinatorApplication.Create(
            new CoordinatorOptions
            {
                ListenOnTcp = false,
                OwnsProcess = false,
                DataDirectory = directory.Path,
                DrainTimeout = TimeSpan.Zero,
                Supervision = new SupervisorOptions
                {
                    Workers = 1,
                    HotSpares = 0,
                    EarlyLifetime = TimeSpan.Zero,
                    IntensityWindow = TimeSpan.FromMilliseconds(100),
                    StartTimeout = TimeSpan.FromMilliseconds(600),
                    MaxEarlyDeaths = 3,
                    Command = ["/bin/sh", "-c", script],
                },
            },
            new TaskHandlerRegistry());
        // Its start must return.
        await coordinator.StartAsync(TestContext.Current.CancellationToken).WaitAsync(
            TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { Endpoint = coordinator.LocalAddress, DataDirectory = directory.Path },
            TestContext.Current.CancellationToken);
        var error = await Assert.ThrowsAsync<TaskFailedException>(
            () => client.RunAsync<int>("echo", 1, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(FailureReason.WorkerLost, error.Reason);
        Assert.Contains(cause, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Related case: with no workers at all tasks wait for an operator, and the command says so.</summary>
    [Fact]
    public async Task With_no_workers_at_all_the_command_says_what_a_task_waits_for()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        var run = TestKit.CommandLine.RunAsync("run", "echo", "1", "--data-dir", coordinator.DataDirectory, "--total-timeout", "4s");
        var (_, status) = await TestKit.CommandLine.RunAsync("status", "--data-dir", coordinator.DataDirectory);
        Assert.Contains(
            "There are no workers, and tasks for them wait: 'orchestrator scale N' starts some.", status, StringComparison.Ordinal);
        Assert.Contains("There are no workers", (await run).Output, StringComparison.Ordinal);
    }
}
