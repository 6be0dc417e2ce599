using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// The coordinator replaces workers that have run enough tasks or grown too large: the successor starts first, and no task fails.
/// </summary>
[Trait("Kind", "slow")]
public sealed class RenewalTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("1")]
    [InlineData("0")]
    public async Task A_worker_that_leaks_is_replaced_at_its_limit_and_no_task_fails(string spares)
    {
        const long Limit = 300L << 20;
        await using var coordinator = await CoordinatorProcess.StartAsync(
            "--allow-chaos", "--hot-spares", spares, "--max-worker-memory", "300MB");
        var ledger = new TaskLedger(Settings.Seed());
        var before = await coordinator.CountsAsync();
        var leaking = (await coordinator.WorkersAsync()).ToDictionary(worker => worker.Name, worker => worker.Incarnation);
        var later = 0;
        await using var load = await TaskLoad.StartAsync(
            coordinator.GrpcAddress, coordinator.Token, ledger,
            tag => tag % 4 == 0 ? Specs.Json("leak", """{"mb": 2}""") : Specs.Json("sleep", """{"ms": 5}"""),
            rate: 400, inFlight: 200, result => _ = result.Attempt > 1 ? Interlocked.Increment(ref later) : 0);
        foreach (var (name, incarnation) in leaking)
        {
            // The fault: the worker has grown beyond its limit; the event names the source of the measurement.
            var renewed = await coordinator.WaitForEventAsync(
                "worker.renewing", item => item.Subject == $"{name}#{incarnation}", seconds: 120);
            Assert.Contains($"more than {Limit >> 20}", renewed.Message, StringComparison.Ordinal);
            var ready = await coordinator.WaitForEventAsync(
                "worker.ready", item => item.Subject.StartsWith($"{name}#", StringComparison.Ordinal), renewed.Sequence);
            var gone = await coordinator.WaitForEventAsync(
                "worker.exited", item => item.Subject == $"{name}#{incarnation}", renewed.Sequence);
            Assert.True(ready.Sequence < gone.Sequence,
                $"{name}: its successor was ready by event {ready.Sequence}, and it went by event {gone.Sequence}");
        }

        await load.FinishAsync(TimeSpan.FromSeconds(60));
        await coordinator.CloseAsync(ledger, before);
        output.WriteLine($"{ledger}");
        Assert.Equal(ledger.Accepted, ledger.Of(TaskState.Succeeded));
        Assert.Equal(0, later);
    }

    [Fact]
    public async Task A_worker_is_replaced_after_its_number_of_tasks_and_what_it_still_runs_ends_well()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--recycle-after", "50");
        var ledger = new TaskLedger(Settings.Seed());
        var before = await coordinator.CountsAsync();
        var first = Assert.Single(await coordinator.WorkersAsync());
        await using var load = await TaskLoad.StartAsync(
            coordinator.GrpcAddress, coordinator.Token, ledger, _ => Specs.Json("sleep", """{"ms": 20}"""), rate: 500, inFlight: 100);
        // A worker is replaced only once it has run long enough to be worth its start, which is long on a busy machine.
        var renewed = await coordinator.WaitForEventAsync(
            "worker.renewing", item => item.Subject == $"{first.Name}#{first.Incarnation}", seconds: 120);
        var done = long.Parse(
            renewed.Message.Split(' ').SkipWhile(word => word != "ended").ElementAt(1), System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(done >= 45, $"it had ended {done} tasks");
        await coordinator.WaitForEventAsync("worker.exited", item => item.Subject == $"{first.Name}#{first.Incarnation}", renewed.Sequence);
        await load.FinishAsync(TimeSpan.FromSeconds(60));
        await coordinator.CloseAsync(ledger, before);
        output.WriteLine($"{renewed.Message}; {ledger}");
        Assert.Equal(ledger.Accepted, ledger.Of(TaskState.Succeeded));
        Assert.NotEqual(first.Pid, Assert.Single(await coordinator.WorkersAsync()).Pid);
    }

    [Fact]
    public async Task A_successor_that_does_not_start_leaves_its_worker_where_it_is()
    {
        using var directory = new TemporaryDirectory();
        var (data, refusal) = (Path.Combine(directory.Path, "data"), Path.Combine(directory.Path, "refuse"));
        await using var coordinator = CoordinatorApplication.Create(
            new CoordinatorOptions
            {
                ListenOnTcp = false,
                OwnsProcess = false,
                DataDirectory = data,
                DrainTimeout = TimeSpan.Zero,
                Supervision = new SupervisorOptions
                {
                    Workers = 1,
                    HotSpares = 0,
                    // However late it dies: on a busy machine a start may take long before it fails.
                    EarlyLifetime = TimeSpan.Zero,
                    Command = ["/bin/sh", "-c", $"[ -e '{refusal}' ] && exit 3; exec '{CoordinatorProcess.CommandPath}' worker"],
                },
            },
            new TaskHandlerRegistry());
        await coordinator.StartAsync(TestContext.Current.CancellationToken);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { Endpoint = coordinator.LocalAddress, DataDirectory = data }, limit.Token);
        var before = Assert.Single((await client.Contract.GetStatusAsync(limit.Token)).Workers);
        await File.WriteAllTextAsync(refusal, "", limit.Token);
        var error = await Assert.ThrowsAsync<OrchestratorException>(() => client.RecycleWorkersAsync(cancellationToken: limit.Token));
        Assert.Equal(
            (FailureReason.WorkerLost, "the successor of worker-1 did not start: exited with code 3"), (error.Reason, error.Message));
        File.Delete(refusal);
        var after = Assert.Single((await client.Contract.GetStatusAsync(limit.Token)).Workers);
        Assert.Equal((before.Pid, before.Incarnation, WorkerState.Ready), (after.Pid, after.Incarnation, after.State));
        Assert.Equal(30, await client.RunAsync<int>("sum_of_squares", new { n = 5 }, cancellationToken: limit.Token));
        // The failed start does not count against the slot.
        Assert.Equal(1, await client.RecycleWorkersAsync(cancellationToken: limit.Token));
        Assert.NotEqual(before.Pid, Assert.Single((await client.Contract.GetStatusAsync(limit.Token)).Workers).Pid);
    }

    [Fact]
    public async Task A_worker_that_is_not_asked_to_be_replaced_stays()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--allow-chaos", "--workers", "1");
        var first = Assert.Single(await coordinator.WorkersAsync());
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("leak", """{"mb": 400}"""))).State);
        await coordinator.StreamAsync(Enumerable.Repeat(Specs.Json("sum_of_squares", """{"n": 3}"""), 2_000));
        Assert.Equal(first.Pid, Assert.Single(await coordinator.WorkersAsync()).Pid);
    }
}
