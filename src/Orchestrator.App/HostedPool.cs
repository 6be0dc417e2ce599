using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orchestrator.Client;
using Orchestrator.Dashboard;

namespace Orchestrator.App;

/// <summary>The pool with the host's lifetime, options and log.</summary>
internal sealed class HostedPool(OrchestratorApp app, IOptions<OrchestratorAppOptions> options, ILoggerFactory loggers)
    : IHostedService, IOrchestratorPool, IAsyncDisposable
{
    private EmbeddedPool? _pool;

    public IOrchestratorClient Client => Pool.Client;

    /// <summary>What the page needs of this pool.</summary>
    public IDashboardAccess Dashboard => Pool.Dashboard;

    private EmbeddedPool Pool =>
        _pool ?? throw new InvalidOperationException(
            "The pool starts with the host: use it only after the host has started and before it stops.");

    public async Task StartAsync(CancellationToken cancellationToken) =>
        _pool = await EmbeddedPool.StartAsync(app, options.Value, loggers, cancellationToken).ConfigureAwait(false);

    public async Task StopAsync(CancellationToken cancellationToken) => await DisposeAsync().ConfigureAwait(false);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _pool, null) is { } pool)
            await pool.DisposeAsync().ConfigureAwait(false);
    }
}
