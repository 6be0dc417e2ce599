using Grpc.Core;
using Grpc.Health.V1;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.Protocol;
using Orchestrator.Transport.Sockets;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Service;
using Orchestrator.Worker.Tasks;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Hosting;

/// <summary>The gRPC server on the worker's Unix socket, without the code that concerns the surrounding process.</summary>
internal sealed class WorkerServer : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WebApplication _app;
    private readonly SocketMessageStream? _direct;
    private readonly IReadOnlyList<Func<IServiceProvider, CancellationToken, Task>> _initializers;

    private WorkerServer(
        WebApplication app, SocketMessageStream? direct, IReadOnlyList<Func<IServiceProvider, CancellationToken, Task>> initializers)
    {
        _app = app;
        _direct = direct;
        _initializers = initializers;
        Runtime = app.Services.GetRequiredService<WorkerRuntime>();
    }

    public WorkerRuntime Runtime { get; }

    /// <summary>Completes when the socket accepts connections.</summary>
    public Task Listening => _listening.Task;

    /// <param name="worker">The program's configured builder.</param>
    /// <param name="launch">The coordinator's order.</param>
    /// <param name="direct">The direct stream, if the coordinator offers one; owned from now on.</param>
    /// <param name="time">For heartbeats and run times.</param>
    /// <param name="host">The services of the surrounding host, which handlers use; null if the worker has its own.</param>
    public static WorkerServer Create(
        WorkerBuilder worker, WorkerLaunch launch, SocketMessageStream? direct, TimeProvider time, IServiceProvider? host = null)
    {
        worker.Launch = launch;
        // The empty builder reads no settings files, watches none, and has no loggers: half the start time of the slim one.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        var services = builder.Services;
        if (host is null)
        {
            foreach (var service in worker.Services)
                services.Add(service);
            services.AddTaskHandlerServices(worker);
        }

        AddServer(builder, launch);
        services.TryAddSingleton(time);
        services.AddSingleton(provider => new WorkerRuntime(
            launch, worker.Tasks, host ?? provider,
            launch.RecorderPath.Length == 0 ? null : FlightRecorder.Open(launch.RecorderPath), time));
        services.AddSingleton<WorkerServiceAdapter>();

        var app = builder.Build();
        var guard = new WorkerSocketAuthorization(launch.Token);
        app.Use(next => context => guard.CheckTokenAsync(context, next));
        app.MapGrpcService<WorkerServiceAdapter>();
        app.MapGrpcService<HealthServiceImpl>();
        app.MapGrpcReflectionService();
        return new WorkerServer(app, direct, worker.Initializers);
    }

    /// <summary>Serves until the worker has been drained or its stream has broken.</summary>
    public async Task<StreamEnd> RunAsync()
    {
        if (_direct is not null)
            _ = ServeDirectAsync(_direct);
        await _app.StartAsync().ConfigureAwait(false);
        // A socket file exists as soon as it is bound, and refuses connections until the socket listens. It gets its final name only now,
        // so that a process that waits for the file never meets that gap.
        File.Move(BindPath(Runtime.Launch.Socket), Runtime.Launch.Socket);
        _listening.SetResult();
        await InitializeAsync().ConfigureAwait(false);
        var end = await Runtime.Ended.ConfigureAwait(false);
        if (end == StreamEnd.Clean)
        {
            await WaitForCloseAsync().ConfigureAwait(false);
            await _app.StopAsync().ConfigureAwait(false);
        }

        return end;
    }

    public async ValueTask DisposeAsync()
    {
        _direct?.Dispose();
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Serves the coordinator on the direct stream, which makes it the only stream: Execute is refused from here on.</summary>
    private async Task ServeDirectAsync(SocketMessageStream direct)
    {
        Runtime.TryAttach();
        var end = StreamEnd.Broken;
        try
        {
            end = await WorkerStream.RunAsync(
                Runtime, direct.WriteAsync, (responses, executor) => new DirectSession(direct, responses, executor).RunAsync())
                    .ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The coordinator has ended, which the stream's end reports.
        }
        catch (RpcException)
        {
            // The initializer failed; its caller reports that.
        }
        finally
        {
            Runtime.Detach(end);
        }
    }

    private async Task WaitForCloseAsync()
    {
        if (Runtime.OpenConnection is not { } connection)
            return;
        try
        {
            await Task.Delay(CloseTimeout, Runtime.Time, connection).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Closed, so all data that could be read has been read.
        }
    }

    /// <summary>The socket listens meanwhile; Hello waits for the initializers.</summary>
    private async Task InitializeAsync()
    {
        try
        {
            foreach (var initialize in _initializers)
                await initialize(Runtime.Services, Runtime.DrainRequested).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (Runtime.DrainRequested.IsCancellationRequested)
        {
            // Ordered to end before it had begun; the stream, if there is one, is drained at once.
        }
        catch (Exception e)
        {
            Runtime.SetFailed(new RpcException(
                new Status(StatusCode.FailedPrecondition, $"the worker's initializer failed: {ExceptionText.MessageOf(e)}", e)));
            throw;
        }

        Runtime.SetReady();
    }

    private static void AddServer(WebApplicationBuilder builder, WorkerLaunch launch)
    {
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(options => Configure(options, launch.Socket));
        // The server itself logs from Warning on, handlers from Information on.
        builder.Logging.SetMinimumLevel(LogLevel.Information).AddProvider(new StandardErrorLogger());
        foreach (var category in (string[])["Microsoft", "Grpc", "System"])
            builder.Logging.AddFilter(category, LogLevel.Warning);
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = ProtocolConstants.MaxMessageBytes;
            options.MaxSendMessageSize = ProtocolConstants.MaxMessageBytes;
        });
        builder.Services.AddGrpcReflection();
        builder.Services.AddSingleton(_ => CreateHealth());
        // The worker handles signals itself, see WorkerBuilder.
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime, NoLifetime>());
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = StopTimeout);
    }

    private static void Configure(KestrelServerOptions options, string socket)
    {
        options.AddServerHeader = false;
        var http2 = options.Limits.Http2;
        // One stream carries everything: its window is the connection's, and holds several messages of the largest payload.
        http2.InitialStreamWindowSize = 4 * 1024 * 1024;
        http2.InitialConnectionWindowSize = 4 * 1024 * 1024;
        http2.MaxFrameSize = 256 * 1024;
        options.ListenUnixSocket(BindPath(socket), listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.Use(WorkerSocketAuthorization.CheckPeer);
        });
    }

    private static string BindPath(string socket) => socket + "~";

    private static HealthServiceImpl CreateHealth()
    {
        var health = new HealthServiceImpl();
        health.SetStatus("", HealthCheckResponse.Types.ServingStatus.Serving);
        health.SetStatus("orchestrator.worker.v1.WorkerService", HealthCheckResponse.Types.ServingStatus.Serving);
        return health;
    }
}
