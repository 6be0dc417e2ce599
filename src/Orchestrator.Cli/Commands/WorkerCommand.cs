using Orchestrator.Handlers;
using Orchestrator.Worker.AspNetCore;

namespace Orchestrator.Cli.Commands;

/// <summary>The hidden verb <c>orchestrator worker</c>: a worker process with the stock handlers, of this program.</summary>
internal static class WorkerCommand
{
    public const string Name = "worker";

    public static Task<int> RunAsync(string[] args) => StockWorker.RunAsync(args, worker => worker.UseGrpcServer());
}
