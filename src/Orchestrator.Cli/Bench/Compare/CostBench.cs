using System.Diagnostics;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Pool;
using Orchestrator.Cli.Bench.Report;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Compare;

/// <summary>The cost of threads, coroutines and processes before they do any work, and of passing data to each.</summary>
internal sealed class CostBench(OrchestratorClient client, StartedPool pool, Terminal terminal)
{
    private const int ThreadCount = 200;
    private const int TaskCount = 50_000;
    private const int Large = 1_000_000;

    private static readonly RoundPlan Plan = new(TimeSpan.FromMilliseconds(300), 0);

    public async Task<IReadOnlyList<Cost>> RunAsync(CancellationToken token)
    {
        terminal.Note("measuring memory and start …");
        var costs = new List<Cost> { MeasureThreads(), await MeasureTasksAsync() };
        costs.AddRange(await MeasureProcessesAsync(token));
        foreach (var size in (int[])[64, Large])
            costs.Add(await MeasureTransferAsync(size, token));
        return costs;
    }

    private static Cost MeasureThreads()
    {
        using var end = new ManualResetEventSlim();
        var threads = new Thread[ThreadCount];
        var before = Environment.WorkingSet;
        var started = Stopwatch.GetTimestamp();
        using var running = new CountdownEvent(ThreadCount);
        for (var i = 0; i < ThreadCount; i++)
        {
            threads[i] = new Thread(() =>
            {
                running.Signal();
                end.Wait();
            });
            threads[i].Start();
        }

        running.Wait();
        var elapsed = Stopwatch.GetElapsedTime(started);
        var memory = Environment.WorkingSet - before;
        end.Set();
        foreach (var thread in threads)
            thread.Join();
        return new Cost(
            "a thread", Math.Max(0, memory) / (double)ThreadCount, elapsed / ThreadCount, $"{ThreadCount} at once, resident memory");
    }

    private static async Task<Cost> MeasureTasksAsync()
    {
        using var end = new CancellationTokenSource();
        var tasks = new Task[TaskCount];
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < TaskCount; i++)
            tasks[i] = WaitAsync();
        var elapsed = Stopwatch.GetElapsedTime(started);
        var memory = GC.GetTotalMemory(forceFullCollection: true) - before;
        await end.CancelAsync();
        await Task.WhenAll(tasks);
        return new Cost(
            "a coroutine that waits", memory / (double)TaskCount, elapsed / TaskCount, $"{TaskCount:N0} at once, managed memory");

        async Task WaitAsync()
        {
            await Task.Yield();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, end.Token).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<IEnumerable<Cost>> MeasureProcessesAsync(CancellationToken token)
    {
        var status = await client.Contract.GetStatusAsync(token);
        var before = status.Workers.Count;
        var memory = FigureSummary.Median(status.Workers.Select(worker => (double)worker.RssBytes));
        TimeSpan spare, cold;
        try
        {
            // The first comes from the hot spare, if there is one; two more at once need a cold start.
            var started = Stopwatch.GetTimestamp();
            await WorkerScale.ToAsync(client, before + 1, token);
            spare = Stopwatch.GetElapsedTime(started);
            started = Stopwatch.GetTimestamp();
            await WorkerScale.ToAsync(client, before + 3, token);
            cold = Stopwatch.GetElapsedTime(started);
        }
        finally
        {
            await WorkerScale.ToAsync(client, before, CancellationToken.None);
        }

        return
        [
            new Cost("a worker process", memory, cold, "resident memory after the runs; started anew, two at a time"),
            new Cost("a worker process from the hot spare", null, spare, "until it serves"),
            new Cost($"an embedded pool, beside its {pool.Workers} workers", pool.Memory, pool.Start,
                "growth of this program; until the first task was done in a worker"),
            new Cost("the coordinator", status.Coordinator.RssBytes, null, "resident memory after the runs"),
        ];
    }

    private async Task<Cost> MeasureTransferAsync(int size, CancellationToken token)
    {
        var load = new TaskLoad("echo", Payloads.FromBytes(new byte[size]), new TaskOptions { Placement = Placement.WorkerProcess });
        var loop = new TaskStreamLoop([client], load, 1);
        await loop.RunAsync(Plan, token);
        var round = await loop.RunAsync(Plan, token);
        return new Cost($"{Format.Count(size)} B to a worker process and back", null, round.Latency.Mean,
            "mean, one at a time on a stream; within one program a reference is handed over");
    }
}
