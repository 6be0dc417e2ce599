using System.Diagnostics;
using Orchestrator.Cli.Bench.Load;

namespace Orchestrator.Cli.Bench.Compare;

/// <summary>Tasks on threads of this process, each running its tasks in sequence. One thread is the sequential program.</summary>
internal sealed class LocalThreads(CompareWork work, int threads) : ILoadShape
{
    public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
    {
        var budget = plan.Start();
        var begin = Stopwatch.GetTimestamp();
        var parts = await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Factory.StartNew(
            () => Run(budget, token), token, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        var all = new LatencyRecorder();
        foreach (var part in parts)
            all.Add(part);
        return new RoundResult(all, Stopwatch.GetElapsedTime(begin));
    }

    private LatencyRecorder Run(RoundBudget budget, CancellationToken token)
    {
        var latency = new LatencyRecorder();
        while (budget.TryTake())
        {
            var started = Stopwatch.GetTimestamp();
            work.RunHere(token);
            latency.Record(started, Stopwatch.GetTimestamp());
        }

        return latency;
    }
}

/// <summary>
/// Tasks as coroutines of one event loop, like Python's asyncio: one runs at a time, and while some wait, others run.
/// </summary>
internal sealed class LocalAsync(CompareWork work, int inFlight) : ILoadShape
{
    public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
    {
        // One runs at a time, and each resumes on the loop after its wait.
        var loop = new TaskFactory(
            token, TaskCreationOptions.None, TaskContinuationOptions.None, new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler);
        var budget = plan.Start();
        var latency = new LatencyRecorder();
        var begin = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, inFlight).Select(_ => loop.StartNew(RunOneAfterTheOtherAsync, token).Unwrap()));
        return new RoundResult(latency, Stopwatch.GetElapsedTime(begin));

        async Task RunOneAfterTheOtherAsync()
        {
            while (budget.TryTake())
            {
                var started = Stopwatch.GetTimestamp();
                await work.RunHereAsync(token);
                latency.Record(started, Stopwatch.GetTimestamp());
            }
        }
    }
}
