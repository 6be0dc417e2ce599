using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.DependencyInjection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>The client of a coordinator in a Generic Host or an ASP.NET Core program.</summary>
public static class OrchestratorClientServiceCollectionExtensions
{
    /// <summary>
    /// Adds an <see cref="IOrchestratorClient"/>, also as <see cref="IExecutor"/> unless another one was added before. It connects with its
    /// first call, so that the host starts without its coordinator, and that call fails with a
    /// <see cref="CoordinatorUnavailableException"/> while none answers. Options that are not valid are reported when the host starts, all
    /// in one <see cref="OptionsValidationException"/>.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Sets the options; what is not set is looked up, see <see cref="OrchestratorClientOptions"/>.</param>
    public static IServiceCollection AddOrchestratorClient(
        this IServiceCollection services, Action<OrchestratorClientOptions>? configure = null)
    {
        var options = AddClient(services);
        if (configure is not null)
            options.Configure(configure);
        return services;
    }

    /// <inheritdoc cref="AddOrchestratorClient(IServiceCollection, Action{OrchestratorClientOptions}?)"/>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">A section with the names of <see cref="OrchestratorClientOptions"/>.</param>
    public static IServiceCollection AddOrchestratorClient(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        AddClient(services).Configure(options => ClientOptionsBinder.Bind(configuration, options));
        return services;
    }

    /// <summary>
    /// Checks the coordinator: unhealthy if it does not answer or none of its workers is ready, degraded while a worker was given up or the
    /// coordinator drains. The client must have been added by <c>AddOrchestratorClient</c>.
    /// </summary>
    /// <param name="builder">The host's health checks.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="failureStatus">What is reported instead of <see cref="HealthStatus.Unhealthy"/>.</param>
    /// <param name="tags">To select checks by.</param>
    /// <param name="timeout">How long the coordinator may take to answer; null for no limit.</param>
    public static IHealthChecksBuilder AddOrchestratorClient(
        this IHealthChecksBuilder builder, string name = "orchestrator", HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(
            name, provider => new CoordinatorHealthCheck(
                cancellationToken => provider.GetRequiredService<IOrchestratorClient>().GetStatusAsync(cancellationToken)),
            failureStatus, tags, timeout));
    }

    private static OptionsBuilder<OrchestratorClientOptions> AddClient(IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<OrchestratorClientOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<OrchestratorClientOptions>, ClientOptionsValidator>());
        services.TryAddSingleton(
            provider => OrchestratorClient.CreateLazy(provider.GetRequiredService<IOptions<OrchestratorClientOptions>>().Value));
        services.TryAddSingleton<IExecutor>(provider => provider.GetRequiredService<IOrchestratorClient>());
        return options;
    }
}
