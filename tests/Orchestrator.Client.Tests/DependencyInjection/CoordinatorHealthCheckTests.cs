using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging;
using Orchestrator.Client.DependencyInjection;

namespace Orchestrator.Client.Tests.DependencyInjection;

/// <summary>What a coordinator's status means to a health check.</summary>
public sealed class CoordinatorHealthCheckTests
{
    private static readonly WorkerStatus s_ready = new() { Name = "worker-1", State = WorkerPhase.Ready };
    private static readonly WorkerStatus s_failed = new()
    {
        Name = "worker-2",
        State = WorkerPhase.Failed,
        LastExit = "exited with code 3",
    };

    private static readonly WorkerStatus s_starting = new() { Name = "worker-3", State = WorkerPhase.Starting };

    [Fact]
    public async Task Ready_workers_are_healthy_and_so_is_a_coordinator_that_is_to_have_none()
    {
        var result = await CheckAsync(new CoordinatorStatus { Workers = [s_ready, s_starting], Tasks = new TaskTotals { Queued = 7 } });
        Assert.Equal((HealthStatus.Healthy, "1 of 2 workers are ready"), (result.Status, result.Description));
        Assert.Equal(7L, result.Data["tasks_queued"]);
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(new CoordinatorStatus())).Status);
    }

    [Fact]
    public async Task A_worker_that_was_given_up_and_a_drain_are_degraded()
    {
        var result = await CheckAsync(new CoordinatorStatus { Workers = [s_ready, s_failed] });
        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.Contains("worker-2 was given up: exited with code 3", result.Description, StringComparison.Ordinal);
        Assert.Equal(HealthStatus.Degraded, (await CheckAsync(new CoordinatorStatus { Workers = [s_ready], IsDraining = true })).Status);
    }

    [Fact]
    public async Task Without_a_ready_worker_or_an_answer_it_fails()
    {
        Assert.Equal(HealthStatus.Unhealthy, (await CheckAsync(new CoordinatorStatus { Workers = [s_starting] })).Status);
        var error = new InvalidOperationException("no answer");
        var result = await CheckAsync(_ => Task.FromException<CoordinatorStatus>(error));
        Assert.Equal((HealthStatus.Unhealthy, "no answer"), (result.Status, result.Description));
        Assert.Same(error, result.Exception);
    }

    [Fact]
    public async Task It_is_registered_with_the_status_that_the_program_wants()
    {
        var services = new ServiceCollection();
        services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        services.AddOrchestratorClient(options => options.Endpoint = "http://127.0.0.1:1");
        services.AddHealthChecks().AddOrchestratorClient("tasks", HealthStatus.Degraded);
        await using var provider = services.BuildServiceProvider();
        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HealthStatus.Degraded, report.Entries["tasks"].Status);
    }

    private static Task<HealthCheckResult> CheckAsync(CoordinatorStatus status) => CheckAsync(_ => Task.FromResult(status));

    private static Task<HealthCheckResult> CheckAsync(Func<CancellationToken, Task<CoordinatorStatus>> read)
    {
        var check = new CoordinatorHealthCheck(read);
        return check.CheckHealthAsync(
            new HealthCheckContext { Registration = new HealthCheckRegistration("it", check, HealthStatus.Unhealthy, null) },
            TestContext.Current.CancellationToken);
    }
}
