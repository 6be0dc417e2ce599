using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Hosting;

/// <summary>What handlers of a worker process find among their services.</summary>
internal static class TaskHandlerServices
{
    /// <summary>Adds them. They can be resolved once the worker has been launched.</summary>
    public static IServiceCollection AddTaskHandlerServices(this IServiceCollection services, WorkerBuilder worker) => services
        .AddTaskHandlerLifetimes()
        .AddSingleton(_ => worker.Coordinator)
        .AddSingleton(_ => worker.OpenSessions());
}
