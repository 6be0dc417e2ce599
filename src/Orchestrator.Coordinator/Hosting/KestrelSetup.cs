using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>The ports of the coordinator, and what each connection may do before its caller is known.</summary>
internal static class KestrelSetup
{
    // The limit for each step of a new connection: the handshake, the first bytes, the headers.
    private static readonly TimeSpan BeginLimit = TimeSpan.FromSeconds(10);

    /// <summary>Sets limits and listens on both ports and on the Unix socket.</summary>
    public static void Configure(KestrelServerOptions kestrel, CoordinatorOptions options, int connections)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = connections;
        kestrel.Limits.RequestHeadersTimeout = BeginLimit;
        kestrel.Limits.Http2.MaxStreamsPerConnection = 256;
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
        // A stalled upload holds at most its stream's window; the connection's window leaves room for the other streams.
        kestrel.Limits.Http2.InitialConnectionWindowSize = 4 * 1024 * 1024;
        kestrel.Limits.Http2.InitialStreamWindowSize = 1024 * 1024;
        // The headers of a call without a credential are kept until the call is refused.
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        kestrel.Limits.MaxRequestBodySize = null;
        // A client may pause for long; its credits bound what it holds meanwhile.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        if (options.ListenOnTcp)
        {
            kestrel.Listen(options.ListenAddress, options.GrpcPort, listen => Protect(listen, PortKind.Grpc, connections));
            kestrel.Listen(options.ListenAddress, options.HttpPort, listen => Protect(listen, PortKind.Http, connections));
        }

        // For handlers in workers: the socket's path is known before the workers start, whereas a free port is not.
        kestrel.ListenUnixSocket(
            kestrel.ApplicationServices.GetRequiredService<RuntimeDirectory>().CoordinatorSocket,
            listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(next => PeerProcess.Check(next, listen.ApplicationServices.GetRequiredService<SecurityInstruments>()));
                listen.Use(ConnectionAuthenticationCache.Attach(PortKind.Grpc));
            });
    }

    /// <summary>With TLS where there are certificates. Probes of the HTTP port need no client certificate.</summary>
    private static void Protect(ListenOptions listen, PortKind port, int connections)
    {
        var isGrpc = port == PortKind.Grpc;
        var time = listen.ApplicationServices.GetRequiredService<MonotonicClock>().Running;
        listen.Protocols = isGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1;
        listen.Use(ConnectionAuthenticationCache.Attach(port));
        var places = new ConnectionPlaces(
            connections, time, listen.ApplicationServices.GetRequiredService<ILogger<ConnectionPlaces>>());
        listen.ApplicationServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopped.Register(places.Dispose);
        listen.Use(places.Attach);
        if (listen.ApplicationServices.GetService<TlsCertificates>() is { } certificates)
        {
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                HandshakeTimeout = BeginLimit,
                OnConnection = _ => ValueTask.FromResult(certificates.ForHandshake(requireClient: isGrpc)),
            });
        }

        listen.Use(PrefaceTimeoutMiddleware.Within(BeginLimit, isGrpc ? PrefaceTimeoutMiddleware.Http2Preface : 1, time));
        // HTTP/1 carries one request at a time, and none is read beyond its headers here before its credential is known, but for a login.
        if (isGrpc)
            listen.Use(UnauthenticatedInputLimit.Limit(time));
    }
}
