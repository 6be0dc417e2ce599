using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Orchestrator.Client.DependencyInjection;

/// <summary>Reports whether tasks can run at present, from a coordinator's own status.</summary>
/// <param name="read">Reads the status; throws while the coordinator does not answer.</param>
internal sealed class CoordinatorHealthCheck(Func<CancellationToken, Task<CoordinatorStatus>> read) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        CoordinatorStatus status;
        try
        {
            status = await read(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, exception.Message, exception);
        }

        var ready = status.Workers.Count(worker => worker.State == WorkerPhase.Ready);
        var failed = status.Workers.Where(worker => worker.State == WorkerPhase.Failed).ToArray();
        var data = new Dictionary<string, object>
        {
            ["workers"] = status.Workers.Count,
            ["workers_ready"] = ready,
            ["tasks_running"] = status.Tasks.Running,
            ["tasks_queued"] = status.Tasks.Queued,
        };
        // A coordinator that is to have no workers of its own is healthy: tasks wait until some join.
        if (ready == 0 && status.Workers.Count > 0)
            return Result(context.Registration.FailureStatus, $"no worker is ready{Causes(failed)}");
        if (status.IsDraining)
            return Result(HealthStatus.Degraded, "the coordinator drains and takes no new tasks");
        return failed.Length > 0
            ? Result(HealthStatus.Degraded, $"{ready} of {status.Workers.Count} workers are ready{Causes(failed)}")
            : Result(HealthStatus.Healthy, $"{ready} of {status.Workers.Count} workers are ready");

        HealthCheckResult Result(HealthStatus health, string description) => new(health, description, data: data);
    }

    private static string Causes(WorkerStatus[] failed) =>
        string.Concat(failed.Select(worker => $"; {worker.Name} was given up: {worker.LastExit}"));
}
