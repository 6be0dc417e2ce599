using System.Net.Security;
using Grpc.Net.Client;
using Orchestrator.Contracts;

namespace Orchestrator.Client;

/// <summary>Makes the channels of this client, with one set of HTTP/2 settings.</summary>
internal static class ClientChannel
{
    // Wide enough that a stream of full batches never waits for a window update on loopback, small enough that a
    // reader who stops is felt by the sender after a few messages of the largest size.
    private const int StreamWindowBytes = 4 * 1024 * 1024;

    public static GrpcChannel Create(Uri address, SslClientAuthenticationOptions? tls = null)
    {
        var handler = CreateHandler();
        if (tls is not null)
            handler.SslOptions = tls;
        return Create(address, handler);
    }

    public static GrpcChannel Create(Uri address, SocketsHttpHandler handler) =>
        GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = ProtocolConstants.MaxMessageBytes,
            MaxSendMessageSize = ProtocolConstants.MaxMessageBytes,
            // A wait may outlive any retry, and a task must not be sent twice without its owner's knowledge.
            MaxRetryAttempts = null,
            ThrowOperationCanceledOnCancellation = true,
        });

    public static SocketsHttpHandler CreateHandler() => new()
    {
        // Past 100 streams on one connection a call would wait silently inside the client.
        EnableMultipleHttp2Connections = true,
        KeepAlivePingDelay = TimeSpan.FromSeconds(30),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(20),
        PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
        InitialHttp2StreamWindowSize = StreamWindowBytes,
        UseProxy = false,
        UseCookies = false,
        ActivityHeadersPropagator = null,
    };
}
