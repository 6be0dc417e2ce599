using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>F10: all workers are replaced again and again while tasks stream.</summary>
public sealed class RecycleUnderLoadTests(ITestOutputHelper output)
{
    [Fact]
    public async Task No_task_fails_is_lost_or_runs_twice_while_all_workers_are_recycled()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync([.. CoordinatorProcess.HotSpare]);
        var ledger = new TaskLedger(Settings.Seed());
        var before = await coordinator.CountsAsync();
        var pids = (await coordinator.WorkersAsync()).Select(worker => worker.Pid).ToHashSet();
        var laterAttempts = 0;
        await using var load = await TaskLoad.StartAsync(
            coordinator.GrpcAddress, coordinator.Token, ledger,
            tag => tag % 2 == 0 ? Specs.Json("sleep", """{"ms": 20}""") : Specs.Json("count_primes", """{"limit": 500}"""),
            rate: 1_000, inFlight: 1_000, result => _ = result.Attempt > 1 ? Interlocked.Increment(ref laterAttempts) : 0);
        for (var round = 0; round < 3; round++)
        {
            await ledger.WaitForMoreAsync(200);
            Assert.Equal(
                2, (await coordinator.Admin.RecycleWorkersAsync(new RecycleWorkersRequest(), CoordinatorProcess.Deadline())).Recycled);
            // The fault has taken effect when every process is new.
            foreach (var worker in await coordinator.WorkersAsync())
                Assert.True(pids.Add(worker.Pid), $"{worker.Name} is still pid {worker.Pid}");
        }

        await load.FinishAsync(TimeSpan.FromSeconds(30));
        await coordinator.CloseAsync(ledger, before);
        output.WriteLine($"{ledger}");
        Assert.Equal(ledger.Accepted, ledger.Of(TaskState.Succeeded));
        Assert.Equal(0, laterAttempts);
    }
}
