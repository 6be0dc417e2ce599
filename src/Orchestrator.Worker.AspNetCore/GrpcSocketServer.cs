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
using Orchestrator.Worker.Hosting;
using Orchestrator.Worker.Service;

namespace Orchestrator.Worker.AspNetCore;

/// <summary>The gRPC server on the worker's Unix socket.</summary>
internal sealed class GrpcSocketServer : ISocketServer
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(1);

    private readonly WebApplication _app;
    private readonly string _socket;

    private GrpcSocketServer(WebApplication app, string socket) => (_app, _socket) = (app, socket);

    /// <param name="runtime">The worker that it serves.</param>
    public static ISocketServer Create(WorkerRuntime runtime)
    {
        // The empty builder reads no settings files, watches none, and has no loggers: half the start time of the slim one.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        AddServer(builder, runtime.Launch.Socket);
        builder.Services.AddSingleton(runtime);
        builder.Services.AddSingleton<WorkerServiceAdapter>();
        var app = builder.Build();
        var guard = new WorkerSocketAuthorization(runtime.Launch.Token);
        app.Use(next => context => guard.CheckTokenAsync(context, next));
        app.MapGrpcService<WorkerServiceAdapter>();
        app.MapGrpcService<HealthServiceImpl>();
        app.MapGrpcReflectionService();
        return new GrpcSocketServer(app, runtime.Launch.Socket);
    }

    public async Task StartAsync()
    {
        await _app.StartAsync().ConfigureAwait(false);
        // A socket file exists as soon as it is bound, and refuses connections until the socket listens. It gets its final name only now,
        // so that a process that waits for the file never meets that gap.
        File.Move(BindPath(_socket), _socket);
    }

    public Task StopAsync() => _app.StopAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void AddServer(WebApplicationBuilder builder, string socket)
    {
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(options => Configure(options, socket));
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddProvider(new StandardErrorLogger());
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = ProtocolConstants.LargestMessageBytes;
            options.MaxSendMessageSize = ProtocolConstants.LargestMessageBytes;
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
