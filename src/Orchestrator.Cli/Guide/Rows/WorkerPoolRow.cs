using System.Diagnostics;
using Orchestrator.Client.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class WorkerPoolRow() : GuideRow("worker-pool", "10.3", "a pool inside a program: submit, map, shutdown(wait=True)")
{
    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say("OrchestratorApp makes a program both coordinator and workers. This guide is such a program; here it has a second pool.");
        var squares = Array.Empty<long>();
        var pids = Array.Empty<int>();
        var doubled = Array.Empty<int>();
        TaskHandle<int>? last = null;
        var ready = TimeSpan.Zero;
        var exit = -1;
        var total = await GuideContext.TimeAsync(async () =>
        {
            var app = GuideProgram.Create([]);
            var starting = Stopwatch.GetTimestamp();
            exit = await app.RunAsync(async (pool, stopping) =>
            {
                ready = Stopwatch.GetElapsedTime(starting);
                pids = [.. (await pool.Client.GetStatusAsync(stopping)).Workers.Select(worker => worker.Pid)];
                var futures = new List<TaskHandle<long>>();
                for (var i = 0; i < 10; i++)
                    futures.Add(await pool.SubmitAsync<long>("sum_of_squares", new { n = i }, cancellationToken: stopping));
                squares = await TaskHandles.WhenAll(futures);
                doubled = await pool.MapAsync<int, int>("echo", Enumerable.Range(0, 10), cancellationToken: stopping)
                    .ToArrayAsync(stopping);
                last = await pool.SubmitAsync<int>("sleep", new { ms = 200 }, cancellationToken: stopping);
                // shutdown(wait=True): await the remaining tasks, then the pool ends.
                await last;
            });
        });
        guide.Say(
            $"Its workers, {GuideContext.List(pids.Select(pid => $"process {pid}"))}, were ready after {GuideContext.Show(ready)}; with " +
            $"its work and its end it took {GuideContext.Show(total)}.");
        guide.Shows($"submit: {GuideContext.List(squares)}", squares is [0, 0, 1, 5, 14, ..] && squares.Length == 10);
        guide.Shows("map: ten results in order", doubled.SequenceEqual(Enumerable.Range(0, 10)));
        guide.Shows("shutdown waited for the last task", exit == 0 && last is { IsCompleted: true });
        guide.Shows("no process is left", pids.Length > 0 && !pids.Any(pid => Directory.Exists($"/proc/{pid}")));
    }
}
