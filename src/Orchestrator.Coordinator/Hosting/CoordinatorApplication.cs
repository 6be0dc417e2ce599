using System.Runtime.InteropServices;
using Grpc.Health.V1;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Orchestrator.Coordinator.Admin;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.LocalTransport;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Metrics;
using Orchestrator.Coordinator.Security;
using Orchestrator.Coordinator.Services;
using Orchestrator.Coordinator.Services.Objects;
using Orchestrator.Coordinator.Supervision;
using Orchestrator.Coordinator.Tracing;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;
using Orchestrator.Dashboard;
using Orchestrator.Transport.LocalCalls;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>A coordinator and its workers, from start to stop.</summary>
public sealed partial class CoordinatorApplication : IAsyncDisposable
{
    /// <summary>The source of the spans of tasks, attempts and waits.</summary>
    public const string ActivitySourceName = TaskTracer.SourceName;

    /// <summary>The meter of the instruments.</summary>
    public const string MeterName = MeterPublisher.MeterName;

    // After the drain timeout: time for tasks to obey cancels, then for workers to exit.
    private static readonly TimeSpan CancelLimit = TimeSpan.FromSeconds(3);

    // .NET's client drops what a stream has brought, its status included, when the connection closes before the client has ended its own
    // side of the stream, which it does when the server's end arrives.
    private static readonly TimeSpan LastWordsTime = TimeSpan.FromMilliseconds(200);

    // A page that says nothing for so long is asked whether it is there, and given up if it does not answer for as long.
    private static readonly TimeSpan SocketSilence = TimeSpan.FromSeconds(15);

    private readonly WebApplication _app;
    private readonly CoordinatorOptions _options;
    private readonly DataDirectoryLock _directory;
    private readonly EndpointFile _endpointFile;
    private readonly TaskCompletionSource _stopNow = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SystemdNotifier _systemd = new();
    private PosixSignalRegistration? _hangUp;
    private int _stopRequests;

    private CoordinatorApplication(WebApplication app, CoordinatorOptions options, DataDirectoryLock directory)
    {
        _directory = directory;
        _app = app;
        _options = options;
        _endpointFile = new EndpointFile(options.DataDirectory);
    }

    /// <summary>The endpoints and the workers; valid once started.</summary>
    public CoordinatorAddresses Addresses => new(
        GrpcAddress, HttpAddress, _app.Services.GetRequiredService<TokenStore>().Path,
        SelfSigned,
        [.. Supervisor.Status.Select(slot => new WorkerAddress(slot.Name, slot.Pid, slot.Core, slot.HasFailed ? slot.LastExit : ""))]);

    /// <summary>
    /// The address at which one browser is logged in to the page as the owner, within ten minutes; empty if no port is opened.
    /// </summary>
    public string CreateFirstLogin()
    {
        var tokens = _app.Services.GetRequiredService<TokenStore>();
        return HttpAddress.Length == 0
            ? "" : $"{HttpAddress}/login#{tokens.Pages.CreateCode(tokens.Owner, PageSessions.FirstCodeLifetime)}";
    }

    /// <summary>The handlers of the workers that have said Hello.</summary>
    public IReadOnlyList<V1.HandlerInfo> Handlers =>
        _app.Services.GetRequiredService<TaskEngineHost>().Read(view => view.HandlersOf(PlacementPolicy.WorkerProcess)
            .Select(HandlerOffers.ToInfo).OrderBy(handler => handler.Name, StringComparer.Ordinal).ToArray());

    /// <summary>The address for clients in this process or of this user: the Unix socket.</summary>
    public string LocalAddress => $"unix:{_app.Services.GetRequiredService<RuntimeDirectory>().CoordinatorSocket}";

    /// <summary>Connections of clients in this process, without a socket.</summary>
    internal LocalConnections Connections => new(LocalTransport.Connect);

    /// <summary>The page, for a program that serves it on routes of its own.</summary>
    internal IDashboardAccess Dashboard => _app.Services.GetRequiredService<CoordinatorDashboard>().ForOwner();

    /// <summary>The patterns of all routes of both ports, for a test that tries each.</summary>
    internal IEnumerable<string> Routes =>
        ((IEndpointRouteBuilder)_app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().Select(
            endpoint => endpoint.RoutePattern.RawText ?? "");

    private SelfSignedDescription? SelfSigned =>
        _options.Tls is { } tls && SelfSignedCertificate.IsOf(tls, _options.DataDirectory)
            ? _app.Services.GetRequiredService<TlsCertificates>().Describe() : null;

    private string GrpcAddress => _options.ListenOnTcp ? AddressAt(0) : LocalAddress;

    private string HttpAddress => _options.ListenOnTcp ? AddressAt(1) : "";

    /// <summary>
    /// Reads the options again on SIGHUP; null, the default, keeps them. Options that cannot change at run time are named in the log and
    /// wait for a restart.
    /// </summary>
    public Func<CoordinatorOptions>? OptionsSource
    {
        get => Reloader.Source;
        set => Reloader.Source = value;
    }

    private OptionsReloader Reloader => _app.Services.GetRequiredService<OptionsReloader>();

    private RuntimeDirectory Directories => _app.Services.GetRequiredService<RuntimeDirectory>();

    private LocalServer LocalTransport => _app.Services.GetRequiredService<LocalServer>();

    private WorkerSupervisor Supervisor => _app.Services.GetRequiredService<WorkerSupervisor>();

    /// <summary>Builds a coordinator. Starts nothing and accesses no file outside the data directory.</summary>
    /// <param name="options">The coordinator's options.</param>
    /// <param name="inProcessHandlers">The handlers of the in-process placements.</param>
    /// <param name="services">The service provider of those handlers.</param>
    /// <param name="loggers">The log's target; null logs warnings to the console.</param>
    /// <exception cref="PlatformNotSupportedException">This system is not Linux.</exception>
    /// <exception cref="ArgumentException">The options are invalid; the message names every fault.</exception>
    /// <exception cref="IOException">Another coordinator runs in the data directory, or the directory cannot be used.</exception>
    public static CoordinatorApplication Create(
        CoordinatorOptions options, TaskHandlerRegistry inProcessHandlers, IServiceCollection? services = null,
        ILoggerFactory? loggers = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException(
                "An Orchestrator coordinator needs Linux, whose means it uses to supervise its workers. Programs on other systems use " +
                "one on Linux by Orchestrator.Client.");
        }

        var faults = options.Validate();
        if (faults.Count > 0)
            throw new ArgumentException(string.Join("; ", faults), nameof(options));
        // Sockets, tokens and recorders are for this user only; embedded in another program, the directory's mode must suffice.
        if (options.OwnsProcess)
            _ = NativeMethods.umask(0x3f);
        var directory = DataDirectoryLock.Take(options.DataDirectory);
        try
        {
            if (options is { Tls: null, TlsSelfSigned: true })
                options = options with
                {
                    Tls = SelfSignedCertificate.Ensure(options.DataDirectory, options.AllowedHosts, TimeProvider.System.GetUtcNow()),
                };
            return new CoordinatorApplication(Build(options, inProcessHandlers, services, loggers), options, directory);
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    private static WebApplication Build(
        CoordinatorOptions options, TaskHandlerRegistry inProcessHandlers, IServiceCollection? services, ILoggerFactory? loggers)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        CoordinatorLogging.Configure(builder.Logging, options);
        // After the log's own providers, to which these may add.
        foreach (var service in services ?? new ServiceCollection())
            builder.Services.Add(service);
        if (loggers is not null)
            builder.Services.Replace(ServiceDescriptor.Singleton<ILoggerFactory>(new ForwardingLoggerFactory(loggers)));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.Services.AddSingleton<IHostLifetime, NullHostLifetime>();
        builder.Services.AddSingleton(inProcessHandlers);
        builder.Services.AddCoordinator(options);
        var connections = ConnectionLimit.Of(options);
        builder.WebHost.ConfigureKestrel(kestrel => KestrelSetup.Configure(kestrel, options, connections));
        // Bytes that the kernel has delivered and the server has not read yet; the whole allowance of a connection before its credential,
        // see UnauthenticatedInputLimit.
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.MaxReadBufferSize = 64 * 1024);
        // Kestrel tries the most recently registered factory first.
        builder.Services.AddSingleton<IConnectionListenerFactory>(
            provider => new LimitedConnectionListenerFactory(
                ActivatorUtilities.CreateInstance<SocketTransportFactory>(provider), connections));
        var app = builder.Build();
        var (door, guard) = (app.Services.GetRequiredService<GrpcAuthorizationMiddleware>(),
            app.Services.GetRequiredService<HttpAuthorizationMiddleware>());
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = SocketSilence, KeepAliveTimeout = SocketSilence });
        app.Use(next => context => context.Features.Get<ConnectionAuthenticationCache>() is { Port: PortKind.Http }
            ? guard.InvokeAsync(context, next) : door.InvokeAsync(context, next));
        app.MapCoordinator();
        return app;
    }

    /// <summary>Starts everything; completes when the coordinator listens and every worker is ready or given up.</summary>
    /// <exception cref="IOException">A port is in use, or a directory cannot be written; the message says which.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_options.LogTasks)
            _app.Services.GetRequiredService<TaskEngineHost>().TaskLog = new TaskLog(_app.Services.GetRequiredService<ILoggerFactory>());
        if (_options.PublishMetrics)
            _app.Services.GetRequiredService<MeterPublisher>();
        if (_directory.Warning is { } warning)
            LogLoose(_app.Services.GetRequiredService<ILogger<CoordinatorApplication>>(), warning);
        // Workers take longest, so they start first.
        var workers = Supervisor.StartAsync(cancellationToken);
        // Both engines restore the journal's content before any client can request it.
        var objects = _app.Services.GetRequiredService<ObjectEngineHost>();
        _app.Services.GetRequiredService<TokenStore>().Revoked += name => objects.Apply(new ObjectRequest(new EndClientSessions(name)));
        _app.Services.GetRequiredService<InProcessPlacements>().Start();
        await _app.StartAsync(cancellationToken);
        LocalTransport.Start(Directories.LocalTransportSocket);
        await workers;
        var health = _app.Services.GetRequiredService<HealthServiceImpl>();
        foreach (var service in ServiceNames.All)
            health.SetStatus(service, HealthCheckResponse.Types.ServingStatus.Serving);
        _app.Services.GetRequiredService<JournalHealth>().Start();
        _app.Services.GetRequiredService<PageAddress>().Url = HttpAddress.Length > 0 ? HttpAddress + "/" : "";
        _app.Services.GetRequiredService<Readiness>().MarkStarted();
        _endpointFile.Write(
            GrpcAddress, HttpAddress, LocalAddress, Directories.LocalTransportSocket, LocalTransport.MaxConnectionsOfProcess,
            SelfSigned?.Path);
        // Before any client learns that this process accepts signals.
        if (_options.OwnsProcess)
            _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnHangUp);
        _systemd.Notify(ServiceState.Ready);
    }

    /// <summary>
    /// Runs until SIGTERM, Ctrl-C or a Drain call that asks for it; then drains and stops. A second signal stops at once.
    /// </summary>
    /// <returns>The exit code: 0.</returns>
    public async Task<int> RunUntilStoppedAsync()
    {
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = _app.Lifetime.ApplicationStopping.Register(() => stopping.TrySetResult());
        await stopping.Task;
        await StopAsync();
        return 0;
    }

    /// <summary>Asks a running coordinator to drain and stop, as SIGTERM does; the second time, to stop at once.</summary>
    public void RequestStop()
    {
        if (Interlocked.Increment(ref _stopRequests) > 1)
            _stopNow.TrySetResult();
        _app.Lifetime.StopApplication();
    }

    /// <summary>Reads the options again, as SIGHUP does.</summary>
    public void RequestReload() => _ = Reloader.ReloadAsync();

    /// <summary>Drains within the configured timeout, cancels the remaining tasks, and ends the workers and the server.</summary>
    public async Task StopAsync()
    {
        _systemd.Notify(ServiceState.Stopping);
        var drain = _app.Services.GetRequiredService<DrainController>();
        var unfinished = await OrStopNowAsync(drain.DrainAsync(Reloader.DrainTimeout, CancellationToken.None), fallback: 1);
        if (unfinished > 0)
        {
            _app.Services.GetRequiredService<TaskEngineHost>().Apply(new TaskCommand.CancelAll());
            await OrStopNowAsync(drain.DrainAsync(CancelLimit, CancellationToken.None), fallback: 1);
        }

        var hadStreams = _app.Services.GetRequiredService<ClientQuotaRegistry>().Streams.Count > 0;
        _app.Services.GetRequiredService<StreamRegistry>().Stop();
        _app.Services.GetRequiredService<ConnectRegistry>().Stop();
        _app.Services.GetRequiredService<ObjectEngineHost>().EndWaits();
        await Supervisor.StopAsync();
        await LocalTransport.StopAsync();
        if (hadStreams)
            await Task.Delay(LastWordsTime, TimeProvider.System);
        await _app.StopAsync();
        _endpointFile.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _stopNow.TrySetResult();
        _hangUp?.Dispose();
        await Supervisor.StopAsync();
        _endpointFile.Dispose();
        await _app.DisposeAsync();
        _directory.Dispose();
    }

    private async Task<int> OrStopNowAsync(Task<int> drain, int fallback) =>
        await Task.WhenAny(drain, _stopNow.Task) == drain ? await drain : fallback;

    private void OnSignal(PosixSignalContext context)
    {
        // The default action would end the process before its workers have ended.
        context.Cancel = true;
        RequestStop();
    }

    private void OnHangUp(PosixSignalContext context)
    {
        context.Cancel = true;
        RequestReload();
    }

    private string AddressAt(int index)
    {
        var address = new Uri(
            _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ElementAt(index));
        // A wildcard address is valid for listening, not for connecting.
        return address.Host is "0.0.0.0" or "[::]"
            ? $"{address.Scheme}://localhost:{address.Port}" : $"{address.Scheme}://{address.Authority}";
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Warning}")]
    private static partial void LogLoose(ILogger logger, string warning);

    /// <summary>The application handles signals itself: the drain precedes the host's stop.</summary>
    private sealed class NullHostLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

/// <summary>A coordinator's endpoints and workers.</summary>
/// <param name="Grpc">Such as <c>http://127.0.0.1:7600</c>.</param>
/// <param name="Http">Such as <c>http://127.0.0.1:7601</c>.</param>
/// <param name="TokenPath">The file that holds the token.</param>
/// <param name="Workers">One per slot.</param>
/// <param name="SelfSigned">The certificate that the coordinator made for itself; null if it did not.</param>
public sealed record CoordinatorAddresses(
    string Grpc, string Http, string TokenPath, SelfSignedDescription? SelfSigned, IReadOnlyList<WorkerAddress> Workers);

/// <summary>A worker's slot.</summary>
/// <param name="Name">Such as <c>worker-1</c>.</param>
/// <param name="Pid">The process id; 0 if there is none.</param>
/// <param name="Core">The core that it is pinned to; -1 for any.</param>
/// <param name="Failure">Why the slot was given up; empty if it was not.</param>
public sealed record WorkerAddress(string Name, int Pid, int Core, string Failure);
