using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>Options in a file, and SIGHUP, which reloads them.</summary>
public sealed class ReloadTests
{
    // Under nohup the tests ignore SIGHUP; a child inherits that, and .NET respects it.
    private static readonly string[] s_terminal = ["/usr/bin/env", "--default-signal=HUP"];

    [Fact]
    public async Task A_hang_up_reads_the_file_of_options_again_and_loses_no_task()
    {
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "serve.conf");
        await File.WriteAllTextAsync(file, "workers = 1\nmax-io = 100\n");
        await using var coordinator = await CoordinatorProcess.StartBehindAsync(s_terminal, "--config", file);
        var before = Assert.Single(await coordinator.WorkersAsync()).Pid;
        var waiting = coordinator.RunAsync(Specs.Json("sleep", """{"ms": 300}"""));

        await File.WriteAllTextAsync(file, "# more of everything\nworkers = 2\nmax-io = 50\nallow-chaos = true\ncredits = 9\n");
        Signals.Send(coordinator.Pid, Signals.HangUp);
        var done = await coordinator.WaitForEventAsync("coordinator.reloaded");
        Assert.Contains("a restart is needed for --credits", done.Message, StringComparison.Ordinal);
        Assert.Equal(TaskState.Succeeded, (await waiting).State);
        var workers = await coordinator.WorkersAsync();
        Assert.Equal(2, workers.Count);
        Assert.DoesNotContain(before, workers.Select(worker => worker.Pid));
        Assert.Equal(50L,
            (await coordinator.Admin.ListLimitsAsync(new ListLimitsRequest())).Limits.Single(limit => limit.Name == "worker_io").Maximum);
        // Only a worker started with the new options has it.
        var thrown = await coordinator.RunAsync(Specs.Json("throw"));
        Assert.Equal(ErrorReason.HandlerFailed, thrown.Error.Reason);
    }

    [Theory]
    [InlineData("workers = many", "'many' is not a whole number, as --workers needs")]
    [InlineData("workers = 2\nmax-io = 0", "MaxConcurrentIo is '0'")]
    [InlineData("colour = red", "line 1: there is no option 'colour'")]
    public async Task Options_that_are_wrong_change_nothing_and_are_named(string options, string named)
    {
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "serve.conf");
        await File.WriteAllTextAsync(file, "workers = 1\n");
        await using var coordinator = await CoordinatorProcess.StartBehindAsync(s_terminal, "--config", file);
        var before = Assert.Single(await coordinator.WorkersAsync()).Pid;
        await File.WriteAllTextAsync(file, options);
        Signals.Send(coordinator.Pid, Signals.HangUp);
        Assert.Contains(named, (await coordinator.WaitForEventAsync("coordinator.reload_failed")).Message, StringComparison.Ordinal);
        Assert.Equal(before, Assert.Single(await coordinator.WorkersAsync()).Pid);
    }
}
