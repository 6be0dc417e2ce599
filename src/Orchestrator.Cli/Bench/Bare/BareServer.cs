using System.Net;
using System.Net.Sockets;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Client.Connection;
using Orchestrator.Protocol;

namespace Orchestrator.Cli.Bench.Bare;

/// <summary>
/// The hidden verbs <c>bench-echo [SOCKET]</c> and <c>bench-proxy SOCKET…</c>: a bare gRPC server with the settings of
/// the coordinator's. It prints its TCP address once it listens and ends when its standard input ends, so it
/// never outlives the bench that started it.
/// </summary>
internal static class BareServer
{
    public static Task<int> RunEchoAsync(string[] args) =>
        RunAsync(args.FirstOrDefault(), builder => builder.Services.AddSingleton<BareEchoService>(),
            app => app.MapGrpcService<BareEchoService>());

    public static async Task<int> RunProxyAsync(string[] args)
    {
        var channels = args.Select(ConnectUnix).ToArray();
        var backends = channels.Select(channel => new BareEcho.BareEchoClient(channel)).ToArray();
        try
        {
            return await RunAsync(
                null,
                builder => builder.Services.AddSingleton(new BareProxyService(backends)),
                app => app.MapGrpcService<BareProxyService>());
        }
        finally
        {
            foreach (var channel in channels)
                channel.Dispose();
        }
    }

    /// <summary>A channel with the client's own settings over a Unix socket.</summary>
    public static GrpcChannel ConnectUnix(string path)
    {
        var handler = ClientChannel.CreateHandler();
        handler.ConnectCallback = async (_, token) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), token);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        };
        return ClientChannel.Create(new Uri("http://localhost"), handler);
    }

    private static async Task<int> RunAsync(string? socket, Action<WebApplicationBuilder> add, Action<WebApplication> map)
    {
        using var ignoring = BenchProcess.IgnoreInterrupts();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = ProtocolConstants.LargestMessageBytes;
            options.MaxSendMessageSize = ProtocolConstants.LargestMessageBytes;
        });
        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, socket));
        add(builder);
        await using var app = builder.Build();
        map(app);
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!
            .Addresses.First(candidate => candidate.StartsWith("http://127", StringComparison.Ordinal));
        await Console.Out.WriteLineAsync(BenchProcess.ReadyPrefix + address);
        await Console.Out.FlushAsync();
        // The parent holds the other end open for as long as it lives.
        await Task.Run(() => Console.In.ReadToEnd());
        return 0;
    }

    private static void Configure(KestrelServerOptions kestrel, string? socket)
    {
        kestrel.Limits.Http2.InitialConnectionWindowSize = 4 * 1024 * 1024;
        kestrel.Limits.Http2.InitialStreamWindowSize = 1024 * 1024;
        kestrel.Limits.Http2.MaxStreamsPerConnection = 256;
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        if (socket is not null)
            kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2);
    }
}
