using Microsoft.Extensions.Hosting;

namespace Orchestrator.Worker.Hosting;

/// <summary>Serves as a worker while the host runs, and ends the host when the coordinator ends the worker.</summary>
internal sealed class HostedWorker(WorkerBuilder worker, IServiceProvider services, IHostApplicationLifetime lifetime) : IHostedService
{
    private const int ExitFailed = 1;

    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _serving = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(_started.SetResult);
        _serving = ServeAsync();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        worker.Drain();
        return _serving.WaitAsync(cancellationToken);
    }

    private async Task ServeAsync()
    {
        try
        {
            Environment.ExitCode = ExitFailed;
            Environment.ExitCode = await worker.RunAsync(services, _started.Task).ConfigureAwait(false);
        }
        finally
        {
            // A host that is told to stop while it starts reports that as a failure of its start.
            await _started.Task.ConfigureAwait(false);
            lifetime.StopApplication();
        }
    }
}
