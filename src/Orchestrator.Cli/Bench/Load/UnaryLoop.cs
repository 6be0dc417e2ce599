using System.Diagnostics;

namespace Orchestrator.Cli.Bench.Load;

/// <summary>A closed loop of calls: each of <paramref name="inFlight"/> callers starts its next when its last has ended.</summary>
/// <param name="call">Makes one call by one of the clients; returns null, or the reason of the failure.</param>
/// <param name="clients">The number of clients; each has its own callers.</param>
/// <param name="inFlight">Callers per client.</param>
internal sealed class UnaryLoop(Func<int, CancellationToken, Task<string?>> call, int clients, int inFlight) : ILoadShape
{
    public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
    {
        var budget = plan.Start();
        var started = Stopwatch.GetTimestamp();
        var callers = Enumerable.Range(0, clients * inFlight)
            .Select(i => Task.Run(() => CallAsync(i % clients, budget, token), token))
            .ToArray();
        var parts = await Task.WhenAll(callers);
        var elapsed = Stopwatch.GetElapsedTime(started);
        var all = new LatencyRecorder();
        foreach (var part in parts)
            all.Add(part.Latency);
        return new RoundResult(
            all, elapsed, parts.Sum(part => part.Failed), FirstError: parts.FirstOrDefault(part => part.Error is not null).Error);
    }

    private async Task<(LatencyRecorder Latency, long Failed, string? Error)> CallAsync(
        int client, RoundBudget budget, CancellationToken token)
    {
        var latency = new LatencyRecorder();
        long failed = 0;
        string? firstError = null;
        while (budget.TryTake())
        {
            var started = Stopwatch.GetTimestamp();
            var error = await call(client, token);
            latency.Record(started, Stopwatch.GetTimestamp());
            if (error is null)
                continue;
            failed++;
            firstError ??= error;
        }

        return (latency, failed, firstError);
    }
}
