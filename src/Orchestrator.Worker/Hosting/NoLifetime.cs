using Microsoft.Extensions.Hosting;

namespace Orchestrator.Worker.Hosting;

/// <summary>Leaves signals to the worker itself, see <see cref="WorkerBuilder"/>.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
