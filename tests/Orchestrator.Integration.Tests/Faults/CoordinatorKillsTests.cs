using System.Diagnostics;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>F7 without durability: repeated SIGKILL of the coordinator under load, and a new start in the same directory.</summary>
/// <remarks>The long form is 50 times: <code>ORCHESTRATOR_FAULT_STARTS=50</code></remarks>
[Trait("Kind", "slow")]
public sealed class CoordinatorKillsTests(ITestOutputHelper output)
{
    private readonly int _starts = Settings.Number("ORCHESTRATOR_FAULT_STARTS", 3);

    [Fact]
    public async Task Its_workers_end_within_two_seconds_and_the_next_start_needs_no_cleaning_up()
    {
        using var directory = new TemporaryDirectory();
        var slowest = TimeSpan.Zero;
        for (var start = 0; start < _starts; start++)
        {
            await using var coordinator = await CoordinatorProcess.StartInAsync(
                directory, [.. CoordinatorProcess.HotSpare, "--allow-chaos"]);
            var ledger = new TaskLedger(Settings.Seed());
            var before = await coordinator.CountsAsync();
            Assert.Equal(0, before.Succeeded + before.WorkerLost);
            await using var load = await TaskLoad.StartAsync(
                coordinator.GrpcAddress, coordinator.Token, ledger, _ => Specs.Json("sum_of_squares", """{"n": 10}"""), rate: 500);
            // Busy workers, too: one that never checks its token, and one whose handler never ends.
            await coordinator.SubmitAsync(Specs.Json("hang"), Specs.Json("spin", """{"ms": 60000}"""));
            await ledger.WaitForMoreAsync(100);
            Assert.True(coordinator.Family().Count >= 3);
            coordinator.Kill();
            await coordinator.WaitForExitAsync();
            var clock = Stopwatch.StartNew();
            await coordinator.WaitForFamilyToEndAsync(TimeSpan.FromSeconds(2));
            Assert.Empty(coordinator.Family());
            slowest = clock.Elapsed > slowest ? clock.Elapsed : slowest;
            // Its client gets an error, and knows which of its tasks have no result.
            await Assert.ThrowsAnyAsync<OrchestratorException>(() => load.Stream.Completion.WaitAsync(TimeSpan.FromSeconds(30)));
        }

        // After all that, only the files of one run remain.
        await using var last = await CoordinatorProcess.StartInAsync(directory);
        Assert.Equal(TaskState.Succeeded, (await last.RunAsync(Specs.Json("fibonacci", """{"n": 5}"""))).State);
        Assert.Single(Directory.GetDirectories(Path.Combine(directory.Path, "run")));
        output.WriteLine($"{_starts} starts; the slowest end of all workers took {slowest.TotalMilliseconds:F0} ms");
    }
}
