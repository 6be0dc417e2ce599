using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Hosting;

/// <summary>Makes a program a worker process.</summary>
/// <example>
/// <code>
/// var worker = OrchestratorWorker.CreateBuilder(args);
/// worker.MapTask("square", (long n) => n * n);
/// return await worker.RunAsync();
/// </code>
/// </example>
public static class OrchestratorWorker
{
    /// <summary>
    /// To be called on the main thread before its first await: from here on the process dies with its parent.
    /// </summary>
    /// <param name="args">The program's arguments. Workers take none: all settings come on standard input.</param>
    /// <param name="json">How handlers' inputs and outputs are read and written; see <see cref="TaskHandlerRegistry"/>.</param>
    /// <exception cref="PlatformNotSupportedException">This system is not Linux.</exception>
    public static WorkerBuilder CreateBuilder(string[] args, JsonSerializerOptions? json = null)
    {
        ArgumentNullException.ThrowIfNull(args);
        return CreateBuilder(new ServiceCollection(), json);
    }

    /// <summary>The same, for handlers that use the services of a host.</summary>
    internal static WorkerBuilder CreateBuilder(IServiceCollection services, JsonSerializerOptions? json)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException(
                "An Orchestrator worker needs Linux, whose means its coordinator uses to supervise it. Programs on other systems use a " +
                "coordinator on Linux by Orchestrator.Client.");
        }

        ParentProcess.DieWithParent();
        return new WorkerBuilder(json, services);
    }
}
