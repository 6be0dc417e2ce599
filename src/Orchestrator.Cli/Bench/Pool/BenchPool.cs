using System.Diagnostics;
using Orchestrator.App;
using Orchestrator.Client;
using Orchestrator.Client.Tasks;
using Orchestrator.Handlers;
using Orchestrator.Handlers.Common;

namespace Orchestrator.Cli.Bench.Pool;

/// <summary>
/// The bench as a program that is both coordinator and workers, with the handlers of the coordinator that it is compared with.
/// </summary>
internal static class BenchPool
{
    /// <summary>The first argument of its workers.</summary>
    public const string Role = "bench-pool";

    private static readonly string[] Args = [Role];

    /// <summary>Runs a worker of the pool.</summary>
    public static Task<int> RunWorkerAsync(string[] args) => Create(args, new OrchestratorAppOptions()).RunWorkerAsync();

    /// <summary>Starts a pool of as many workers as the coordinator has, runs the body and ends the pool.</summary>
    /// <returns>The exit code of the program: not 0 if a signal ended it, or the pool did not start, which it has reported.</returns>
    public static async Task<int> RunAsync(OrchestratorClient client, Func<StartedPool, Task> body, CancellationToken token)
    {
        var workers = (await client.Contract.GetStatusAsync(token)).Workers.Count;
        var app = Create(Args, new OrchestratorAppOptions { Workers = Math.Max(1, workers) });
        var memory = Environment.WorkingSet;
        var starting = Stopwatch.GetTimestamp();
        return await app.RunAsync(async (pool, stopping) =>
        {
            await pool.RunAsync(TaskFunction.Raw("echo"), new V1.Payload(), cancellationToken: stopping);
            await body(new StartedPool(
                pool, Math.Max(1, workers), Stopwatch.GetElapsedTime(starting), Math.Max(0, Environment.WorkingSet - memory)));
        });
    }

    private static OrchestratorApp Create(string[] args, OrchestratorAppOptions options)
    {
        var app = OrchestratorApp.Create(args, options);
        StockHandlers.Register(app.Tasks, new StockHandlerOptions());
        return app;
    }
}

/// <summary>A pool inside this program, and its costs.</summary>
/// <param name="Pool">The pool.</param>
/// <param name="Workers">Its worker processes.</param>
/// <param name="Start">The time until its first task was done.</param>
/// <param name="Memory">The growth of this program, in bytes.</param>
internal sealed record StartedPool(IOrchestratorPool Pool, int Workers, TimeSpan Start, long Memory);
