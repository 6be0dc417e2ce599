using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.Client;
using Orchestrator.Client.Tasks;

namespace Orchestrator.App;

/// <summary>The pool inside a Generic Host or an ASP.NET Core program.</summary>
public static class OrchestratorServices
{
    /// <summary>
    /// Starts the pool with the host, before the services that were added later, and ends it with the host. Inject
    /// <see cref="IOrchestratorPool"/>.
    /// </summary>
    /// <param name="services">The host's.</param>
    /// <param name="app">Created in the program's first line; in a worker, call <see cref="OrchestratorApp.RunWorkerAsync"/> instead of
    /// building a host.</param>
    public static IServiceCollection AddOrchestrator(this IServiceCollection services, OrchestratorApp app)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(app);
        if (app.IsWorker)
            throw new InvalidOperationException("This process is a worker: return await app.RunWorkerAsync() before a host is built.");
        return services
            .AddSingleton(app)
            .AddSingleton<HostedPool>()
            .AddSingleton<IOrchestratorPool>(provider => provider.GetRequiredService<HostedPool>())
            .AddSingleton<IExecutor>(provider => provider.GetRequiredService<HostedPool>())
            .AddHostedService(provider => provider.GetRequiredService<HostedPool>());
    }

    /// <summary>The pool with the host's lifetime and log.</summary>
    private sealed class HostedPool(OrchestratorApp app, ILoggerFactory loggers) : IHostedService, IOrchestratorPool, IAsyncDisposable
    {
        private EmbeddedPool? _pool;

        public OrchestratorClient Client => Pool.Client;

        private EmbeddedPool Pool =>
            _pool ?? throw new InvalidOperationException(
                "The pool starts with the host: use it only after the host has started and before it stops.");

        public async Task StartAsync(CancellationToken cancellationToken) =>
            _pool = await EmbeddedPool.StartAsync(app, loggers, cancellationToken).ConfigureAwait(false);

        public async Task StopAsync(CancellationToken cancellationToken) => await DisposeAsync().ConfigureAwait(false);

        public async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _pool, null) is { } pool)
                await pool.DisposeAsync().ConfigureAwait(false);
        }
    }
}
