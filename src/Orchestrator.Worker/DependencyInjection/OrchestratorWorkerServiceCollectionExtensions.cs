using System.Text.Json;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.Worker.Hosting;
using Orchestrator.Worker.Tasks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>A worker in a Generic Host.</summary>
public static class OrchestratorWorkerServiceCollectionExtensions
{
    /// <summary>
    /// Makes the host a worker process. Handlers use the host's services, and run once the host has started; the host ends when the
    /// coordinator ends its worker, with the worker's exit code.
    /// </summary>
    /// <remarks>
    /// Call this on the main thread before the first await: from here on the process dies with its parent. The log goes to the coordinator,
    /// as that of any worker: a task's lines to the task's log, and warnings and worse outside of tasks to standard error. It replaces the
    /// log providers that were added before.
    /// </remarks>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Maps the handlers.</param>
    /// <param name="json">How handlers' inputs and outputs are read and written; see <see cref="TaskHandlerRegistry"/>.</param>
    /// <exception cref="PlatformNotSupportedException">This system is not Linux.</exception>
    public static IServiceCollection AddOrchestratorWorker(
        this IServiceCollection services, Action<WorkerBuilder> configure, JsonSerializerOptions? json = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        var worker = OrchestratorWorker.CreateBuilder(services, json);
        configure(worker);
        // The coordinator decides when its worker ends; the usual lifetime would end the host at Ctrl-C, which reaches all processes.
        services.Replace(ServiceDescriptor.Singleton<IHostLifetime, NoLifetime>());
        return services
            .AddLogging(logging => logging.ClearProviders().AddProvider(new StandardErrorLogger()))
            .AddSingleton(worker)
            .AddTaskHandlerServices(worker)
            .AddHostedService<HostedWorker>();
    }
}
