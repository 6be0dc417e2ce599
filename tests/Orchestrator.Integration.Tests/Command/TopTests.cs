using System.Text.Json;
using System.Text.RegularExpressions;
using Orchestrator.Cli.Common;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Command;

/// <summary><c>orchestrator top</c> in a terminal, with its keys, and in a pipe.</summary>
public sealed partial class TopTests
{
    [Fact]
    public async Task Keys_recycle_cancel_drain_and_quit()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var id = (await coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 600000}"""))).Single();
        await coordinator.WaitUntilRunningAsync(id);
        await using var top = TerminalProcess.Command($"top --data-dir {coordinator.DataDirectory} --interval 200ms");
        await top.SeeAsync("r recycle worker");
        await top.SeeAsync("current task");
        await top.SeeAsync("sleep");

        var before = (await coordinator.WorkersAsync())[0];
        await top.PressAsync("r");
        await top.SeeAsync($"Recycle {before.Name}?");
        await top.PressAsync("n");
        await top.SeeAsync("Nothing was done.");
        await top.PressAsync("r");
        await top.SeeAsync($"Recycle {before.Name}?");
        Assert.Equal(before.Incarnation, (await coordinator.WorkersAsync())[0].Incarnation);
        await top.PressAsync("y");
        await top.SeeAsync($"{before.Name} was recycled (1).");
        Assert.NotEqual(before.Incarnation, (await coordinator.WorkersAsync()).Single(worker => worker.Name == before.Name).Incarnation);

        await top.PressAsync("\t");
        await top.PressAsync("c");
        await top.SeeAsync($"Cancel task {id}?");
        await top.PressAsync("y");
        await top.SeeAsync($"Task {id} was cancelled.");
        Assert.Equal(TaskState.Cancelled, (await coordinator.WaitAsync([id])).Single().State);

        await top.PressAsync("d");
        await top.SeeAsync("Drain the coordinator?");
        await top.PressAsync("y");
        await top.SeeAsync("Drained.");
        await top.SeeAsync("DRAINING");
        Assert.True((await coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status.Draining);

        await top.PressAsync("q");
        Assert.Equal(ExitCode.Ok, await top.EndAsync());
        // The previous screen and the cursor are restored.
        Assert.EndsWith("\e[?25h\e[?1049l", top.Raw.TrimEnd(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("1", false)]
    public async Task NO_COLOR_is_obeyed(string value, bool coloured)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        await using var top = TerminalProcess.Command($"top --data-dir {coordinator.DataDirectory}", environment: ("NO_COLOR", value));
        await top.SeeAsync("worker-1#");
        await top.PressAsync("d");
        await top.SeeAsync("Drain the coordinator?");
        await top.PressAsync("n");
        await top.SeeAsync("Nothing was done.");
        await top.PressAsync("q");
        Assert.Equal(ExitCode.Ok, await top.EndAsync());
        Assert.Equal(coloured, Colour().IsMatch(top.Raw));
    }

    [Fact]
    public async Task A_small_screen_keeps_the_keys_and_what_matters_most()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        await using var top = TerminalProcess.Command($"top --data-dir {coordinator.DataDirectory}", columns: 80, rows: 12);
        await top.SeeAsync("q quit");
        await top.SeeAsync("memory");
        await top.SeeAsync("worker-1#");
        await top.PressAsync("q");
        Assert.Equal(ExitCode.Ok, await top.EndAsync());
    }

    [Fact]
    public async Task The_coordinators_death_ends_it_with_a_line_that_says_so()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        await using var top = TerminalProcess.Command($"top --data-dir {coordinator.DataDirectory} --interval 100ms");
        await top.SeeAsync("worker-1#");
        coordinator.Kill();
        await top.SeeAsync("orchestrator: ");
        Assert.Equal(ExitCode.CannotConnect, await top.EndAsync());
        Assert.Contains("\e[?1049l", top.Raw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_a_pipe_it_is_one_plain_snapshot()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var id = (await coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 600000}"""))).Single();
        await coordinator.WaitUntilRunningAsync(id);
        var (code, output) = await TestKit.CommandLine.RunAsync("top", "--data-dir", coordinator.DataDirectory);
        Assert.Equal(ExitCode.Ok, code);
        Assert.DoesNotContain("\e", output, StringComparison.Ordinal);
        Assert.Contains("\nworker\tstate\tpid\tage\tCPU\tmemory\t", output, StringComparison.Ordinal);
        Assert.Contains($"\n{id}\tsleep\tworker-", output, StringComparison.Ordinal);
        Assert.Contains($"\t{id} sleep, ", output, StringComparison.Ordinal);

        var (_, json) = await TestKit.CommandLine.RunAsync("top", "--data-dir", coordinator.DataDirectory, "-o", "json");
        using var snapshot = JsonDocument.Parse(json);
        Assert.Equal(2, snapshot.RootElement.GetProperty("status").GetProperty("workers").GetArrayLength());
        Assert.Equal($"{id}", snapshot.RootElement.GetProperty("running_tasks")[0].GetProperty("task_id").GetString());
    }

    [Fact]
    public async Task What_runs_is_listed_however_many_tasks_are_kept()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var options = new TaskOptions { ConcurrencyKey = "one", ConcurrencyLimit = 1 };
        var id = (await coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 600000}""", options))).Single();
        await coordinator.WaitUntilRunningAsync(id);
        // All of them wait for it.
        foreach (var batch in Enumerable.Repeat(Specs.Json("echo", options: options), 101_000).Chunk(1_000))
            await coordinator.SubmitAsync(batch);
        var (_, json) = await TestKit.CommandLine.RunAsync("top", "--data-dir", coordinator.DataDirectory, "-o", "json");
        using var snapshot = JsonDocument.Parse(json);
        Assert.Equal(
            $"{id}", snapshot.RootElement.GetProperty("running_tasks").EnumerateArray().Single().GetProperty("task_id").GetString());
    }

    [GeneratedRegex(@"\e\[[0-9;]*\b(3[0-7]|4[0-7]|9[0-7])m")]
    private static partial Regex Colour();
}
