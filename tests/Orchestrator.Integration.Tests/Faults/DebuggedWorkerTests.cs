using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>Part 7, A: a worker that a debugger holds is not killed for what the debugger causes.</summary>
[Trait("Kind", "slow")]
public sealed class DebuggedWorkerTests
{
    [Fact]
    public async Task A_traced_worker_that_stands_still_is_spared_until_its_tracer_leaves()
    {
        Assert.SkipWhen(SyscallFaults.Missing is not null, SyscallFaults.Missing ?? "");
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0");
        var worker = (await coordinator.WorkersAsync()).Single();
        var name = $"{worker.Name}#{worker.Incarnation}";
        await using (var tracer = await SyscallFaults.TraceAsync(worker.Pid))
        {
            Signals.Send(worker.Pid, Signals.Stop);
            var spared = await coordinator.WaitForEventAsync("worker.debugged", item => item.Subject == name);
            Assert.Contains("no heartbeat for", spared.Message, StringComparison.Ordinal);
            Signals.Send(worker.Pid, Signals.Continue);
            Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("echo"))).State);
            Assert.Equal(worker.Pid, (await coordinator.WorkersAsync()).Single().Pid);
            await tracer.EndAsync();
        }

        var released = await coordinator.WaitForEventAsync("worker.released", item => item.Subject == name);
        // Stopped without a debugger, it is a silent worker like any other.
        Signals.Send(worker.Pid, Signals.Stop);
        await coordinator.WaitForEventAsync("worker.lost", item => item.Subject == name, released.Sequence);
    }

    [Fact]
    public async Task A_worker_with_a_debugger_of_dotnet_is_spared_as_well()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0");
        var worker = (await coordinator.WorkersAsync()).Single();
        var name = $"{worker.Name}#{worker.Incarnation}";
        var pipes = Directory.GetFiles(Path.GetTempPath(), $"clr-debug-pipe-{worker.Pid}-*").Order(StringComparer.Ordinal).ToArray();
        Assert.SkipUnless(pipes.Length == 2, "the runtime offers no pipes to debuggers here");
        // It waits for a writer of the one that ends in "in", and then for a reader of the other: a debugger opens them so.
        await using (new FileStream(pipes[0], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        await using (new FileStream(pipes[1], FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
        {
            Signals.Send(worker.Pid, Signals.Stop);
            await coordinator.WaitForEventAsync("worker.debugged", item => item.Subject == name);
            Signals.Send(worker.Pid, Signals.Continue);
            Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("echo"))).State);
        }

        await coordinator.WaitForEventAsync("worker.released", item => item.Subject == name);
        Assert.Equal(worker.Pid, (await coordinator.WorkersAsync()).Single().Pid);
    }

    [Fact]
    public async Task A_task_that_runs_too_long_under_a_debugger_ends_and_its_worker_only_when_the_debugger_leaves()
    {
        Assert.SkipWhen(SyscallFaults.Missing is not null, SyscallFaults.Missing ?? "");
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0", "--allow-chaos");
        var worker = (await coordinator.WorkersAsync()).Single();
        var name = $"{worker.Name}#{worker.Incarnation}";
        await using var tracer = await SyscallFaults.TraceAsync(worker.Pid);
        var task = Specs.Json("hang", options: new TaskOptions { RunTimeout = Specs.Seconds(0.1), CancelGrace = Specs.Seconds(0.1) });
        Assert.Equal(TaskState.TimedOut, (await coordinator.RunAsync(task)).State);
        var spared = await coordinator.WaitForEventAsync("worker.debugged", item => item.Subject == name);
        Assert.Contains("ignored its cancellation", spared.Message, StringComparison.Ordinal);
        // Another worker serves in the meantime.
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("echo"))).State);
        Assert.True(Directory.Exists($"/proc/{worker.Pid}"));
        await tracer.EndAsync();
        await coordinator.WaitForEventAsync("worker.exited", item => item.Subject == name, spared.Sequence);
    }
}
