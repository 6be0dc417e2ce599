using Orchestrator.Cli.Common;
using Orchestrator.Handlers;
using Orchestrator.Worker.AspNetCore;
using Orchestrator.Worker.Hosting;

namespace Orchestrator.Cli.Commands;

/// <summary>
/// The hidden verb <c>orchestrator worker</c>: a worker process with the stock handlers. A coordinator starts it, so its few
/// flags are parsed by hand: a command-line parser would add considerably to every worker's start time.
/// </summary>
internal static class WorkerCommand
{
    public static Task<int> RunAsync(string[] args)
    {
        // Before the first await: the worker binds its lifetime to its parent's on the main thread.
        var worker = OrchestratorWorker.CreateBuilder(args);
        if (WorkerArguments.Parse(args, out var servesGrpc) is not { } options)
            return Task.FromResult(ExitCode.Usage);
        StockHandlers.Register(worker.Tasks, options);
        if (servesGrpc)
            worker.UseGrpcServer();
        return worker.RunAsync();
    }
}
