using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Orchestrator.Protocol;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.V1;

namespace Orchestrator.Coordinator.Dispatch;

/// <summary>Execute over gRPC on a worker's socket, which workers in every language serve.</summary>
internal sealed class GrpcTransport : IWorkerTransport
{
    private readonly GrpcChannel _channel;
    private readonly AsyncDuplexStreamingCall<MessageBuffer, MessageBuffer> _call;

    private GrpcTransport(GrpcChannel channel, AsyncDuplexStreamingCall<MessageBuffer, MessageBuffer> call, Hello hello)
    {
        _channel = channel;
        _call = call;
        Hello = hello;
    }

    public Hello Hello { get; }

    /// <summary>Completes when the socket's file exists.</summary>
    public static async Task WaitForSocketAsync(string path, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var wait = 1; !File.Exists(path); wait = Math.Min(wait * 2, 8))
            await Task.Delay(TimeSpan.FromMilliseconds(wait), time, cancellationToken);
    }

    /// <summary>Connects, opens the stream and waits for Hello.</summary>
    /// <exception cref="EndOfStreamException">The worker closed its stream before it said Hello.</exception>
    public static async Task<GrpcTransport> ConnectAsync(WorkerLaunch launch, TimeProvider time, CancellationToken cancellationToken)
    {
        var channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = CreateHandler(launch.Socket, time),
            MaxReceiveMessageSize = ProtocolConstants.MessageBytesFor(launch.MaxPayloadBytes),
            MaxSendMessageSize = null,
            DisposeHttpClient = true,
        });
        AsyncDuplexStreamingCall<MessageBuffer, MessageBuffer>? call = null;
        try
        {
            var headers = new Metadata { { ProtocolConstants.AuthorizationHeader, ProtocolConstants.BearerPrefix + launch.Token } };
            call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(RawWorkerMessages.ExecuteMethod, null, new CallOptions(headers));
            if (!await call.ResponseStream.MoveNext(cancellationToken)
                || RawExecuteResponse.Parser.ParseFrom(call.ResponseStream.Current.Content.Span).Hello is not { } hello)
                throw new EndOfStreamException($"worker {launch.Name} did not begin with Hello");
            return new GrpcTransport(channel, call, hello);
        }
        catch
        {
            call?.Dispose();
            channel.Dispose();
            throw;
        }
    }

    public Task WriteAsync(MessageBuffer message) => _call.RequestStream.WriteAsync(message);

    public async Task ReadAllAsync(MessageHandler onMessage)
    {
        while (await _call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false))
        {
            var message = _call.ResponseStream.Current;
            onMessage(message.Content);
            message.Clear();
        }
    }

    public Task CompleteAsync() => _call.RequestStream.CompleteAsync();

    public void Dispose()
    {
        _call.Dispose();
        _channel.Dispose();
    }

    private static SocketsHttpHandler CreateHandler(string socketPath, TimeProvider time) => new()
    {
        // The default windows would throttle a burst of large results to one round trip per 64 KB.
        InitialHttp2StreamWindowSize = 4 * 1024 * 1024,
        PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
        ConnectTimeout = Timeout.InfiniteTimeSpan,
        UseProxy = false,
        ConnectCallback = async (_, cancellationToken) =>
        {
            // A worker has no other sign that it listens: the file appears with bind, but connections are accepted only after listen.
            for (var wait = 1; ; wait = Math.Min(wait * 2, 8))
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch (SocketException)
                {
                    socket.Dispose();
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(wait), time, cancellationToken);
            }
        },
    };
}
