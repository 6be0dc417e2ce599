using Grpc.Core;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Integration.Tests.Scenarios;

/// <summary>Part 5, 12: a handler's prints and logs reach its task's log, and no handler reads the coordinator's pipe.</summary>
public sealed class TaskLogTests
{
    [Fact]
    public async Task Whatever_way_it_takes_each_task_has_its_own_lines_before_its_result()
    {
        await using var coordinator = await StartAsync();
        var names = Enumerable.Range(0, 20).Select(i => $"task{i}").ToArray();
        var ids = await coordinator.SubmitAsync(names.Select(name => Specs.Json("print", $"\"{name}\"")));
        foreach (var (id, name) in ids.Zip(names))
        {
            Assert.Equal(
                [
                    ("info", $"{name} by a logger of a class"), ("info", $"{name} by the context's logger"), ("stderr", $"{name} to error"),
                    ("stdout", $"{name} at once"),
                    ("stdout", $"{name} in parallel"), ("stdout", $"{name} in parallel"), ("stdout", $"{name} in two pieces"),
                    ("stdout", $"{name} without an end"),
                ],
                (await LogAsync(coordinator, id)).Order());
        }
    }

    [Fact]
    public async Task The_command_shows_them()
    {
        await using var coordinator = await StartAsync();
        var id = (await coordinator.SubmitAsync(Specs.Json("print", "\"it\""))).Single();
        await coordinator.WaitAsync([id]);
        var (_, log) = await TestKit.CommandLine.RunAsync("logs", $"{id}", "--data-dir", coordinator.DataDirectory);
        Assert.Contains("stdout: it at once", log, StringComparison.Ordinal);
        Assert.Contains("stderr: it to error", log, StringComparison.Ordinal);
        var (_, run) = await TestKit.CommandLine.RunAsync("run", "print", "\"it\"", "--events", "--data-dir", coordinator.DataDirectory);
        Assert.Contains("info: it by a logger of a class", run, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sixty_four_kilobytes_are_kept_and_a_line_says_what_is_cut()
    {
        await using var coordinator = await StartAsync();
        var id = (await coordinator.SubmitAsync(Specs.Json("print_much", "200"))).Single();
        await coordinator.WaitAsync([id]);
        var log = await LogAsync(coordinator, id);
        Assert.Equal(("warning", "this task's log holds 64 KB; what it writes from here on is cut"), log[^1]);
        Assert.InRange(log.SkipLast(1).Sum(line => line.Message.Length + 1), 60_000, 64 * 1_024);
        Assert.StartsWith("0 x", log[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_child_prints_belongs_to_the_only_task()
    {
        await using var coordinator = await StartAsync();
        var id = (await coordinator.SubmitAsync(Specs.Json("print_child", "\"from a child\""))).Single();
        var log = await LogAsync(coordinator, id, until: 2);
        Assert.Equal([("output", "from a child"), ("output", "from a child, wrong")], log);
    }

    [Fact]
    public async Task With_several_tasks_it_belongs_to_the_worker_and_stands_in_the_coordinators_log()
    {
        await using var coordinator = await StartAsync("--verbose");
        var other = (await coordinator.SubmitAsync(Specs.Json("wait", "60000"))).Single();
        await coordinator.WaitUntilRunningAsync(other);
        var id = (await coordinator.SubmitAsync(Specs.Json("print_child", "\"from a child\""))).Single();
        await coordinator.WaitAsync([id]);
        await Waits.UntilAsync(async () =>
        {
            await coordinator.WorkersAsync();
            return coordinator.Output.Contains("printed: from a child, wrong", StringComparison.Ordinal);
        });
        Assert.Empty(await LogAsync(coordinator, id));
        await coordinator.Tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { other } });
    }

    [Fact]
    public async Task What_it_printed_before_it_died_is_in_the_log_and_among_the_last_words()
    {
        await using var coordinator = await StartAsync();
        var id = (await coordinator.SubmitAsync(Specs.Json("print_and_die", "\"the model is corrupt\""))).Single();
        var result = (await coordinator.WaitAsync([id])).Single();
        Assert.Equal(TaskState.WorkerLost, result.State);
        Assert.Contains("the model is corrupt", result.Error.PostMortem.LastStderrLines);
    }

    [Fact]
    public async Task What_it_left_behind_and_prints_later_is_nobodys()
    {
        await using var coordinator = await StartAsync();
        var id = (await coordinator.SubmitAsync(Specs.Json("print_late", "\"late\""))).Single();
        await coordinator.WaitAsync([id]);
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("let_late_print", "0"))).State);
        Assert.Empty(await LogAsync(coordinator, id));
    }

    [Fact]
    public async Task A_handler_that_reads_its_standard_input_is_at_its_end_at_once()
    {
        await using var coordinator = await StartAsync();
        var result = await coordinator.RunAsync(Specs.Json("read_input", "\"\""));
        Assert.Equal((TaskState.Succeeded, "00"), (result.State, result.Output.Json.StringValue));
        // The pipe still works: a worker notices the end of its coordinator.
        Assert.EndsWith("/dev/null", new FileInfo(
            $"/proc/{(await coordinator.WorkersAsync()).Single().Pid}/fd/0").LinkTarget, StringComparison.Ordinal);
    }

    private static Task<CoordinatorProcess> StartAsync(params string[] arguments) =>
        CoordinatorProcess.StartAsync(
            [.. arguments, "--workers", "1", "--hot-spares", "0", .. TestWorker.Arguments(Environment.ProcessPath!)]);

    /// <summary>The log lines of a task until its end, or up to this many.</summary>
    private static async Task<List<(string Level, string Message)>> LogAsync(
        CoordinatorProcess coordinator, ulong id, int until = int.MaxValue)
    {
        var log = new List<(string, string)>();
        using var watch = coordinator.Tasks.WatchTasks(new WatchTasksRequest { TaskIds = { id } }, CoordinatorProcess.Deadline());
        await foreach (var response in watch.ResponseStream.ReadAllAsync())
        {
            if (response.Event.Log is { } line)
                log.Add((line.Level, line.Message));
            if (log.Count == until)
                break;
        }

        return log;
    }
}
