using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Orchestrator.App;
using Orchestrator.Client.DependencyInjection;
using Orchestrator.Client.Tasks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>The embedded pool in a Generic Host or an ASP.NET Core program.</summary>
public static class OrchestratorServiceCollectionExtensions
{
    /// <summary>
    /// Starts the pool with the host, before the services that were added later, and ends it with the host. Inject
    /// <see cref="IOrchestratorPool"/>, or <see cref="IExecutor"/> unless another one was added before. The pool logs to the host's log.
    /// Options that are not valid are reported when the host starts, all in one <see cref="OptionsValidationException"/>.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="app">Created in the program's first line; in a worker, call <see cref="OrchestratorApp.RunWorkerAsync"/> instead of
    /// building a host.</param>
    /// <param name="configure">Changes the options of the app.</param>
    /// <exception cref="InvalidOperationException">This process is a worker.</exception>
    public static IServiceCollection AddOrchestrator(
        this IServiceCollection services, OrchestratorApp app, Action<OrchestratorAppOptions>? configure = null)
    {
        var options = AddPool(services, app);
        if (configure is not null)
            options.Configure(configure);
        return services;
    }

    /// <inheritdoc cref="AddOrchestrator(IServiceCollection, OrchestratorApp, Action{OrchestratorAppOptions}?)"/>
    /// <param name="services">The host's services.</param>
    /// <param name="app">Created in the program's first line; in a worker, call <see cref="OrchestratorApp.RunWorkerAsync"/> instead of
    /// building a host.</param>
    /// <param name="configuration">A section with the names of <see cref="OrchestratorAppOptions"/>; it comes before the options of the
    /// app, which apply where it has no value.</param>
    public static IServiceCollection AddOrchestrator(
        this IServiceCollection services, OrchestratorApp app, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        AddPool(services, app).Bind(configuration);
        return services;
    }

    /// <summary>
    /// Checks the pool: unhealthy while no worker is ready, degraded while one of them was given up or the pool shuts down. Its services
    /// must have been added by <c>AddOrchestrator</c>.
    /// </summary>
    /// <param name="builder">The host's health checks.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="failureStatus">What is reported instead of <see cref="HealthStatus.Unhealthy"/>.</param>
    /// <param name="tags">To select checks by.</param>
    /// <param name="timeout">How long the pool may take to answer; null for no limit.</param>
    public static IHealthChecksBuilder AddOrchestrator(
        this IHealthChecksBuilder builder, string name = "orchestrator-pool", HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(
            name, provider => new CoordinatorHealthCheck(
                cancellationToken => provider.GetRequiredService<IOrchestratorPool>().Client.GetStatusAsync(cancellationToken)),
            failureStatus, tags, timeout));
    }

    private static OptionsBuilder<OrchestratorAppOptions> AddPool(IServiceCollection services, OrchestratorApp app)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(app);
        if (app.IsWorker)
            throw new InvalidOperationException("This process is a worker: return await app.RunWorkerAsync() before a host is built.");
        var options = services.AddOptions<OrchestratorAppOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<OrchestratorAppOptions>, AppOptionsValidator>());
        services
            .AddSingleton(app)
            .AddSingleton<IOptionsFactory<OrchestratorAppOptions>, AppOptionsFactory>()
            .AddSingleton<HostedPool>()
            .AddSingleton<IOrchestratorPool>(provider => provider.GetRequiredService<HostedPool>())
            .AddHostedService(provider => provider.GetRequiredService<HostedPool>());
        services.TryAddSingleton<IExecutor>(provider => provider.GetRequiredService<HostedPool>());
        return options;
    }
}
