using System.Net.Security;
using System.Net.Sockets;
using Grpc.Net.Client;
using Orchestrator.Protocol;

namespace Orchestrator.Client.Connection;

/// <summary>Makes the channels of this client, with one set of HTTP/2 settings.</summary>
internal static class ClientChannel
{
    // Large enough that a stream of full batches never waits for a window update on loopback, small enough that a
    // stopped reader blocks the sender after a few messages of maximum size.
    private const int StreamWindowBytes = 4 * 1024 * 1024;

    /// <summary>The prefix of a Unix socket's address.</summary>
    public const string UnixPrefix = "unix:";

    /// <summary>A channel to an address such as <c>http://127.0.0.1:7600</c>, or to <c>unix:</c> and the path of a socket.</summary>
    /// <param name="address">The address.</param>
    /// <param name="tls">The trusted authorities and the client certificate for an https address.</param>
    public static GrpcChannel Open(string address, SslClientAuthenticationOptions? tls = null)
    {
        if (!address.StartsWith(UnixPrefix, StringComparison.Ordinal))
            return Create(new Uri(address), tls);
        var endpoint = new UnixDomainSocketEndPoint(address[UnixPrefix.Length..]);
        var handler = CreateHandler();
        handler.ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        };
        // gRPC does not accept a socket's path as an authority.
        return Create(new Uri("http://localhost"), handler);
    }

    public static GrpcChannel For(CoordinatorEndpoint endpoint, SslClientAuthenticationOptions? tls) =>
        Open(endpoint.Address.Scheme == "unix" ? UnixPrefix + endpoint.Address.LocalPath : endpoint.Address.ToString(), tls);

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
            MaxReceiveMessageSize = ProtocolConstants.LargestMessageBytes,
            MaxSendMessageSize = ProtocolConstants.LargestMessageBytes,
            // No retries: a wait may outlive any retry, and a task must not be sent twice without its owner's knowledge.
            MaxRetryAttempts = null,
            ThrowOperationCanceledOnCancellation = true,
        });

    public static SocketsHttpHandler CreateHandler() => new()
    {
        // Beyond 100 streams on one connection, a call would wait silently inside the client.
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
