using Orchestrator.Worker.Hosting;

namespace Orchestrator.Worker.AspNetCore;

/// <summary>Lets a worker serve gRPC on its own socket.</summary>
public static class GrpcWorkerBuilderExtensions
{
    /// <summary>
    /// Serves <c>orchestrator.worker.v1.WorkerService</c>, health and reflection on the Unix socket that the coordinator names: to look at
    /// a worker with gRPC tools, and for coordinators that offer no direct stream. It takes a worker about twice as long to start, and some
    /// 15 MB.
    /// </summary>
    /// <param name="worker">The worker.</param>
    public static WorkerBuilder UseGrpcServer(this WorkerBuilder worker)
    {
        ArgumentNullException.ThrowIfNull(worker);
        worker.CreateSocketServer = GrpcSocketServer.Create;
        return worker;
    }
}
