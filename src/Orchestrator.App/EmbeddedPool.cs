using Microsoft.Extensions.Logging;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Dashboard;

namespace Orchestrator.App;

/// <summary>A coordinator in this process, its workers and its client.</summary>
internal sealed class EmbeddedPool : IOrchestratorPool, IAsyncDisposable
{
    private readonly CoordinatorApplication _coordinator;
    private readonly AppDirectory? _directory;

    private EmbeddedPool(CoordinatorApplication coordinator, OrchestratorClient client, AppDirectory? directory)
    {
        _coordinator = coordinator;
        _directory = directory;
        Client = client;
    }

    public IOrchestratorClient Client { get; }

    /// <summary>What the page needs of this pool.</summary>
    public IDashboardAccess Dashboard => _coordinator.Dashboard;

    public static async Task<EmbeddedPool> StartAsync(
        OrchestratorApp app, OrchestratorAppOptions options, ILoggerFactory? loggers, CancellationToken cancellationToken)
    {
        var directory = options.DataDirectory is null ? new AppDirectory() : null;
        CoordinatorApplication? coordinator = null;
        try
        {
            var path = directory?.Path ?? Path.GetFullPath(options.DataDirectory!);
            coordinator = CoordinatorApplication.Create(
                options.ToCoordinator(path, app.WorkerCommand), app.Tasks, app.Services, loggers);
            await coordinator.StartAsync(cancellationToken).ConfigureAwait(false);
            var client = await OrchestratorClient.ConnectAsync(
                new OrchestratorClientOptions
                {
                    Endpoint = coordinator.LocalAddress,
                    DataDirectory = path,
                    // The coordinator ends with this program, so there is none to reconnect to.
                    DetachOnDisconnect = false,
                },
                coordinator.Connections,
                cancellationToken).ConfigureAwait(false);
            return new EmbeddedPool(coordinator, client, directory);
        }
        catch
        {
            if (coordinator is not null)
                await coordinator.DisposeAsync().ConfigureAwait(false);
            directory?.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync().ConfigureAwait(false);
        await _coordinator.StopAsync().ConfigureAwait(false);
        await _coordinator.DisposeAsync().ConfigureAwait(false);
        _directory?.Dispose();
    }
}
