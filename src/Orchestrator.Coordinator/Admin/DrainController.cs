using Grpc.Health.V1;
using Grpc.HealthCheck;
using Microsoft.Extensions.Hosting;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Services;
using Orchestrator.Coordinator.Services.Objects;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.Admin;

/// <summary>The drain: readiness off, no new tasks, a notice on every stream, then time for running tasks.</summary>
internal sealed class DrainController(
    TaskEngineHost host, StreamRegistry streams, ConnectRegistry connections, HealthServiceImpl health, EventLog events,
    MonotonicClock clock, IHostApplicationLifetime lifetime)
{
    /// <summary>How long a drain waits for the unfinished tasks.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(25);

    private static readonly TimeSpan CheckInterval = TimeSpan.FromMilliseconds(20);
    private int _draining;

    /// <summary>Stops accepting work and waits for the unfinished tasks. Returns how many remain unfinished.</summary>
    public async Task<int> DrainAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _draining, 1) == 0)
        {
            foreach (var service in ServiceNames.All)
                health.SetStatus(service, HealthCheckResponse.Types.ServingStatus.NotServing);
            host.Apply(new TaskCommand.Drain());
            streams.NoticeDraining();
            connections.NoticeDraining();
            events.Add("coordinator.draining", "", "no new tasks are taken");
        }

        var until = clock.Now + timeout;
        while (host.Read(view => view.UnfinishedHere) is > 0 and var unfinished)
        {
            if (clock.Now >= until)
                return unfinished;
            await Task.Delay(CheckInterval, clock.Provider, cancellationToken);
        }

        return 0;
    }

    /// <summary>Ends the coordinator once the answer to the Drain call has been sent.</summary>
    public void RequestStop() => lifetime.StopApplication();
}

/// <summary>The services whose health is reported one by one; the empty name stands for all.</summary>
internal static class ServiceNames
{
    public static readonly string[] All =
    [
        "",
        .. new[]
        {
            V1.TaskService.Descriptor, V1.SessionService.Descriptor, V1.SyncService.Descriptor, V1.QueueService.Descriptor,
            V1.PipeService.Descriptor,
            V1.StateService.Descriptor, V1.AdminService.Descriptor,
        }.Select(service => service.FullName),
    ];
}
