using Orchestrator.Worker.Hosting;

namespace Orchestrator.Handlers;

/// <summary>
/// A worker process with the stock handlers: the hidden verb <c>orchestrator worker</c>, and the program <c>orchestrator-worker</c>, which
/// is the same as native code. A coordinator starts it, so its few flags are parsed by hand: a command-line parser would add considerably
/// to every worker's start time.
/// </summary>
internal static class StockWorker
{
    private const int ExitUsage = 2;

    /// <summary>
    /// Serves the coordinator. To be called on the main thread before its first await: the worker binds its lifetime to its parent's.
    /// </summary>
    /// <param name="args">As <see cref="StockWorkerArguments.Format"/> writes them.</param>
    /// <param name="serveGrpc">Lets it serve gRPC on its socket; null in a program without a web server.</param>
    /// <returns>The exit code.</returns>
    public static Task<int> RunAsync(string[] args, Action<WorkerBuilder>? serveGrpc)
    {
        var worker = OrchestratorWorker.CreateBuilder(args);
        if (StockWorkerArguments.Parse(args, out var servesGrpc) is not { } options)
            return Task.FromResult(ExitUsage);
        StockHandlers.Register(worker.Tasks, options);
        if (servesGrpc && serveGrpc is null)
        {
            Console.Error.WriteLine("worker: this program has no web server to serve gRPC with; 'orchestrator worker' has");
            return Task.FromResult(ExitUsage);
        }

        if (servesGrpc)
            serveGrpc!(worker);
        return worker.RunAsync();
    }
}
