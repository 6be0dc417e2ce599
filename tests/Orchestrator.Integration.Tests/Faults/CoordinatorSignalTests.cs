using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// F9: the rest of <see cref="CoordinatorEndTests"/>: a stop when idle, and Ctrl-C from a terminal, to every process of the group at once.
/// </summary>
public sealed class CoordinatorSignalTests(ITestOutputHelper output)
{
    // Unlike in a script's background, SIGINT is not ignored, and the coordinator leads its own process group, as in a terminal.
    private static readonly string[] s_terminal = ["/usr/bin/env", "--default-signal=INT", "setsid"];

    [Fact]
    public async Task SIGTERM_at_rest_ends_it_with_0_and_leaves_nothing()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        coordinator.Terminate();
        Assert.Equal(0, await coordinator.WaitForExitAsync(TimeSpan.FromSeconds(10)));
        await coordinator.WaitForFamilyToEndAsync(TimeSpan.FromSeconds(2));
        Assert.False(File.Exists(Path.Combine(coordinator.DataDirectory, "endpoint.json")));
    }

    [Fact]
    public async Task Ctrl_C_reaches_the_whole_group_and_every_accepted_task_still_ends_well()
    {
        await using var coordinator = await CoordinatorProcess.StartBehindAsync(s_terminal);
        var ledger = new TaskLedger(Settings.Seed());
        var ids = await coordinator.SubmitAsync(
            Enumerable.Range(0, 300).Select(i => Specs.Json("sleep", $$"""{"ms": {{i * 5}}}""", tag: ledger.Accept())));
        var wait = coordinator.WaitAsync(ids);
        await coordinator.WaitAsync([ids[0]]);
        // Also to workers in its group: either way, they must not end before the coordinator stops them.
        Signals.Send(-coordinator.Pid, Signals.Interrupt);
        foreach (var result in await wait)
            ledger.End(result);
        output.WriteLine($"{ledger}");
        Assert.Equal(300, ledger.Of(TaskState.Succeeded));
        // It received no other stop request.
        Assert.Equal(0, await coordinator.WaitForExitAsync());
        await coordinator.WaitForFamilyToEndAsync(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task A_second_Ctrl_C_stops_at_once()
    {
        await using var coordinator = await CoordinatorProcess.StartBehindAsync(s_terminal, "--allow-chaos");
        var id = (await coordinator.SubmitAsync(Specs.Json("hang"))).Single();
        await coordinator.WaitUntilRunningAsync(id);
        Signals.Send(-coordinator.Pid, Signals.Interrupt);
        await coordinator.WaitForEventAsync("coordinator.draining");
        Signals.Send(-coordinator.Pid, Signals.Interrupt);
        Assert.Equal(0, await coordinator.WaitForExitAsync(TimeSpan.FromSeconds(10)));
    }
}
