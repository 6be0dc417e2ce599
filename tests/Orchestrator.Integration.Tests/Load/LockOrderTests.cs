using System.Globalization;
using System.Text.Json;
using Orchestrator.TestKit;
using Orchestrator.TestKit.LockOrders;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Load;

/// <summary>
/// Random lock orders in eight processes: nothing hangs, and every reported deadlock is real.
/// </summary>
/// <remarks>
/// By default it is bounded by its 1,000 orders, not by time. Without that bound, for 30 seconds:
/// <code>ORCHESTRATOR_LOCK_ORDER_SECONDS=30 \
/// artifacts/bin/Orchestrator.Integration.Tests/release/Orchestrator.Integration.Tests -class "*LockOrderTests" -showLiveOutput</code>
/// </remarks>
[Trait("Kind", "slow")]
public sealed class LockOrderTests(ITestOutputHelper output)
{
    private const int Processes = 8;
    private const int ClientsOfAProcess = 2;
    private const int Orders = 1_000;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    [Fact]
    public async Task Random_lock_orders_of_eight_processes_never_hang_and_every_reported_deadlock_was_real()
    {
        var seconds = Environment.GetEnvironmentVariable("ORCHESTRATOR_LOCK_ORDER_SECONDS") is { } text
            ? double.Parse(text, CultureInfo.InvariantCulture) : (double?)null;
        var seed = Random.Shared.Next(1_000_000);
        await using var coordinator = await CoordinatorProcess.StartAsync(
            [.. TestWorker.Arguments(Environment.ProcessPath!), "--workers", $"{Processes}"]);
        var tasks = Enumerable.Range(0, Processes).Select(number => Specs.Json(TestWorker.LockOrderHandler, JsonSerializer.Serialize(
            new
            {
                address = coordinator.GrpcAddress,
                token = coordinator.Token,
                seed = seed + number,
                clients = ClientsOfAProcess,
                orders = seconds is null ? Orders / Processes : int.MaxValue / 2,
                seconds = seconds ?? 60,
                path = PathOf(number),
            },
            s_json)));
        var results = await coordinator.StreamAsync(tasks, seconds: 120);
        Assert.All(
            results, result => Assert.True(result.State == TaskState.Succeeded, $"seed {seed}: {result.State}: {result.Error?.Message}"));
        Assert.Equal(Processes, results.Select(result => result.Worker).Distinct().Count());

        var reports = Enumerable.Range(0, Processes).Select(
            number => JsonSerializer.Deserialize<LockOrderReport>(File.ReadAllBytes(PathOf(number)))!).ToArray();
        var attempts = reports.SelectMany(report => report.Attempts).ToArray();
        var byLock = attempts.ToLookup(attempt => (attempt.Session, attempt.Lock));
        var deadlocks = attempts.Where(attempt => attempt.Cycle is not null).ToArray();
        output.WriteLine(
            $"seed {seed}: {reports.Sum(report => report.Finished)} orders finished, {deadlocks.Length} gave way to a deadlock, the " +
            "longest cycle of "
            + $"{deadlocks.Max(attempt => attempt.Cycle!.Count)}; {attempts.Length} acquisitions, 0 hangs");
        Assert.NotEmpty(deadlocks);

        string PathOf(int number) => Path.Combine(coordinator.DataDirectory, $"orders-{number}.json");
        Assert.Equal(seconds is null, reports.Sum(report => report.Finished) + deadlocks.Length == Orders);
        Assert.All(deadlocks, attempt =>
        {
            var wrong = CycleCheck.Refute(attempt, byLock);
            Assert.True(wrong is null, $"seed {seed}: {wrong}: {string.Join("; ", attempt.Cycle!)}");
        });
        // The check can fail: a forged cycle with a holder that holds nothing is rejected.
        Assert.All(deadlocks, attempt =>
        {
            var edges = attempt.Cycle!.Select(edge => edge with { Holder = Replace(edge.Holder), Waiter = Replace(edge.Waiter) }).ToArray();
            Assert.NotNull(CycleCheck.Refute(attempt with { Cycle = edges }, byLock));

            string Replace(string session) => session == attempt.Session ? session : "nobody";
        });
    }
}
