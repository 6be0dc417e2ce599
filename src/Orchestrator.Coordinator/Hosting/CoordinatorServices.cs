using Grpc.HealthCheck;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Client.Objects;
using Orchestrator.Coordinator.Admin;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Coordinator.LocalTransport;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Metrics;
using Orchestrator.Coordinator.Security;
using Orchestrator.Coordinator.Services;
using Orchestrator.Coordinator.Services.Objects;
using Orchestrator.Coordinator.Supervision;
using Orchestrator.Coordinator.Telemetry;
using Orchestrator.Coordinator.Tracing;
using Orchestrator.Core.Common;
using Orchestrator.Dashboard;
using Orchestrator.Transport.LocalCalls;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;
using Prometheus;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>The coordinator's service registrations: one line per component.</summary>
internal static class CoordinatorServices
{
    /// <summary>The largest request of a method that needs no credential.</summary>
    private const int OpenMessageBytes = 64 * 1024;

    public static IServiceCollection AddCoordinator(this IServiceCollection services, CoordinatorOptions options) => services
        .AddSingleton(options)
        .AddJournal(options)
        .AddEngines(options)
        .AddSecurity(options)
        .AddSupervision(options)
        .AddTelemetry()
        .AddTaskServices(options)
        .AddObjectServices();

    public static void MapCoordinator(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcService<TaskServiceAdapter>();
        endpoints.MapGrpcService<SessionServiceAdapter>();
        endpoints.MapGrpcService<SyncServiceAdapter>();
        endpoints.MapGrpcService<QueueServiceAdapter>();
        endpoints.MapGrpcService<PipeServiceAdapter>();
        endpoints.MapGrpcService<StateServiceAdapter>();
        endpoints.MapGrpcService<AdminServiceAdapter>();
        endpoints.MapGrpcService<HealthServiceImpl>();
        endpoints.MapGrpcReflectionService();
        var http = endpoints.MapGroup("").WithMetadata(new HttpPortRoute());
        http.MapGet("/healthz", () => Results.Text("ok\n")).WithMetadata(new AllowAnonymous());
        // Requires a credential; the observe role suffices.
        http.MapMetrics("/metrics", endpoints.ServiceProvider.GetRequiredService<PrometheusCollector>().Registry);
        http.MapDashboard(endpoints.ServiceProvider.GetRequiredService<CoordinatorDashboard>(), new AllowAnonymous());
        http.MapGet("/readyz", (Readiness readiness) => readiness.ToResult()).WithMetadata(new AllowAnonymous());
    }

    private static IServiceCollection AddJournal(this IServiceCollection services, CoordinatorOptions options) => services
        .AddSingleton(TimeProvider.System)
        .AddSingleton<MonotonicClock>()
        .AddSingleton(provider => ChangeJournal.Open(options.DataDirectory, options.Journal, provider.GetRequiredService<MonotonicClock>()))
        .AddSingleton<JournalHealth>();

    private static IServiceCollection AddEngines(this IServiceCollection services, CoordinatorOptions options) => services
        .AddSingleton(new MemoryBudget(options.KeptBytes))
        .AddSingleton(options.Engine with
        {
            BriefWorkers = options.Engine.BriefWorkers ?? Environment.ProcessorCount,
            WorkerGroups = [.. options.Supervision.Groups.Where(group => group.Workers > 0).Select(group => group.Name)],
            LargestPayload = options.PayloadBytes,
            MaxDeliveredBytes = Math.Min(options.Engine.MaxDeliveredBytes, PartOf(options)),
            MaxRequestIdBytes = Math.Min(options.Engine.MaxRequestIdBytes, PartOf(options)),
        })
        .AddSingleton(options.Traces)
        .AddSingleton<TaskTracer>()
        .AddSingleton<TaskEngineHost>()
        .AddSingleton(options.Objects with
        {
            LargestContent = options.PayloadBytes,
            MaxReplayBytes = Math.Min(options.Objects.MaxReplayBytes, PartOf(options)),
            State = options.Objects.State with
            {
                MaxHistoryBytes = Math.Min(options.Objects.State.MaxHistoryBytes, PartOf(options)),
                ValueEditor = new JsonEditor(options.PayloadBytes),
            },
        })
        .AddSingleton<ObjectEngineHost>()
        .AddSingleton<InProcessPlacements>();

    /// <summary>Data retained for convenience must not displace data retained out of necessity.</summary>
    private static long PartOf(CoordinatorOptions options) => options.KeptBytes / 10;

    private static IServiceCollection AddSecurity(this IServiceCollection services, CoordinatorOptions options)
    {
        if (options.Tls is { } tls)
            services.AddSingleton(tls).AddSingleton<TlsCertificates>();
        return services
            .AddSingleton(provider => new TokenStore(
                options.DataDirectory, options.TokenFile, provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<TokenStore>>()))
            .AddSingleton<SecurityInstruments>()
            .AddSingleton<Authenticator>()
            .AddSingleton<TaskSessionAuthorizer>()
            .AddSingleton<ClientQuotaRegistry>()
            .AddSingleton<CallGate>()
            .AddSingleton(provider => new IncompleteMessageLimits(
                provider.GetRequiredService<MemoryBudget>(), options.MessageBytes, provider.GetRequiredService<MonotonicClock>().Running,
                provider.GetRequiredService<ILogger<IncompleteMessageLimits>>()))
            .AddSingleton<GrpcAuthorizationMiddleware>()
            .AddSingleton<AuthorizationInterceptor>()
            .AddSingleton(CreateLocalServer)
            .AddSingleton<HttpAuthorizationMiddleware>()
            .AddHostedService<NoAuthWarning>();
    }

    private static LocalServer CreateLocalServer(IServiceProvider provider)
    {
        var methods = new LocalMethodTable(provider.GetRequiredService<AuthorizationInterceptor>());
        RawTaskMessages.BindService(methods, provider.GetRequiredService<TaskServiceAdapter>());
        SessionService.BindService(methods, provider.GetRequiredService<SessionServiceAdapter>());
        SyncService.BindService(methods, provider.GetRequiredService<SyncServiceAdapter>());
        QueueService.BindService(methods, provider.GetRequiredService<QueueServiceAdapter>());
        PipeService.BindService(methods, provider.GetRequiredService<PipeServiceAdapter>());
        StateService.BindService(methods, provider.GetRequiredService<StateServiceAdapter>());
        AdminService.BindService(methods, provider.GetRequiredService<AdminServiceAdapter>());
        return new LocalServer(
            provider.GetRequiredService<CallGate>(), methods, provider.GetRequiredService<IncompleteMessageLimits>(),
            provider.GetRequiredService<SecurityInstruments>(), provider.GetRequiredService<TimeProvider>(),
            ConnectionLimit.Of(provider.GetRequiredService<CoordinatorOptions>()), provider.GetRequiredService<ILogger<LocalServer>>());
    }

    private static IServiceCollection AddSupervision(this IServiceCollection services, CoordinatorOptions options) => services
        .AddSingleton(options.Supervision)
        .AddSingleton<OptionsReloader>()
        .AddSingleton(_ => new RuntimeDirectory(options.DataDirectory))
        .AddSingleton<RestartTally>()
        .AddSingleton<WorkerSupervisor>();

    private static IServiceCollection AddTelemetry(this IServiceCollection services) => services
        .AddSingleton<EventLog>()
        .AddSingleton<ObjectIncidents>()
        .AddSingleton<HandlerWindows>()
        .AddSingleton<ProcessSampler>()
        .AddSingleton<StatusReporter>()
        .AddSingleton<SeriesStore>()
        .AddSingleton<HistoryRecorder>()
        .AddSingleton<AttentionFinder>()
        .AddSingleton<TelemetryFeed>()
        .AddHostedService<TelemetrySampler>()
        .AddSingleton<LimitReporter>()
        .AddSingleton<IMeasurementSource, TaskMeasurements>()
        .AddSingleton<IMeasurementSource, WorkerMeasurements>()
        .AddSingleton<IMeasurementSource, ObjectMeasurements>()
        .AddSingleton<IMeasurementSource, ServiceMeasurements>()
        .AddSingleton<PrometheusCollector>()
        .AddSingleton<MeterPublisher>()
        .AddHostedService<IdleHeapTrimmer>()
        .AddHostedService<MemoryPressureCollector>();

    private static IServiceCollection AddObjectServices(this IServiceCollection services) => services
        .AddSingleton<ConnectRegistry>()
        .AddSingleton<ObjectStreams>()
        .AddSingleton<DirectPipes>()
        // For in-process handlers.
        .AddSingleton(provider => new SessionPool(
            $"unix:{provider.GetRequiredService<RuntimeDirectory>().CoordinatorSocket}",
            provider.GetRequiredService<TokenStore>().IssueForWorker(new WorkerIdentity(0) { ProcessGroup = Environment.ProcessId }),
            "in-process",
            new LocalConnections(client => provider.GetRequiredService<LocalServer>().Connect(client))))
        .AddSingleton<SessionServiceAdapter>()
        .AddSingleton<SyncServiceAdapter>()
        .AddSingleton<QueueServiceAdapter>()
        .AddSingleton<PipeServiceAdapter>()
        .AddSingleton<StateServiceAdapter>();

    private static IServiceCollection AddTaskServices(this IServiceCollection services, CoordinatorOptions options)
    {
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = options.MessageBytes;
            grpc.MaxSendMessageSize = null;
            grpc.Interceptors.Add<AuthorizationInterceptor>();
        }).AddServiceOptions<HealthServiceImpl>(health => health.MaxReceiveMessageSize = OpenMessageBytes);
        services.AddGrpcReflection();
        services.AddGuardedMethods();
        return services
            .AddSingleton(new StreamLimits(options.CreditsPerStream, options.CreditBytesPerStream))
            .AddSingleton<TaskPolicyMapper>()
            .AddSingleton<SubmissionReader>()
            .AddSingleton<TaskResultMapper>()
            .AddSingleton<CoordinatorInstance>()
            .AddSingleton<TaskListing>()
            .AddSingleton<StreamRegistry>()
            .AddSingleton<HealthServiceImpl>()
            .AddSingleton<DrainController>()
            .AddSingleton<Readiness>()
            .AddSingleton<TaskServiceAdapter>()
            .AddSingleton<TelemetryQueries>()
            .AddSingleton<PageAddress>()
            .AddSingleton<FaultInjector>()
            .AddSingleton<ComparisonRunner>()
            .AddSingleton<CoordinatorDashboard>()
            .AddSingleton<AdminServiceAdapter>();
    }
}
