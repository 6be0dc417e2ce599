using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Transport.LocalCalls;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>
/// One connection with one stream, shared by any number of sessions that the coordinator has created: the handlers of a worker process
/// reach the coordinator's objects through it. It connects on first use.
/// </summary>
/// <param name="address">Such as <c>http://127.0.0.1:7600</c>, or <c>unix:</c> and the path of a socket.</param>
/// <param name="token">The credential.</param>
/// <param name="displayName">For people.</param>
/// <param name="local">The coordinator's local transport; null for none. Disposed with this.</param>
internal sealed class SessionPool(string address, string token, string displayName, LocalConnections? local = null) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private GrpcChannel? _channel;
    private ObjectStream? _stream;
    private bool _failed;

    /// <summary>The session with this id.</summary>
    /// <exception cref="InvalidOperationException">There is no coordinator to reach.</exception>
    public CoordinationSession SessionOf(string id)
    {
        if (address.Length == 0)
            throw new InvalidOperationException("this worker was given no address for its coordinator's objects");
        return CoordinationSession.Over(Open(), id);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        ObjectStream? stream;
        GrpcChannel? channel;
        lock (_gate)
        {
            (stream, _stream) = (_stream, null);
            (channel, _channel) = (_channel, null);
        }

        if (stream is not null)
            await stream.DisposeAsync().ConfigureAwait(false);
        channel?.Dispose();
        local?.Dispose();
    }

    private ObjectStream Open()
    {
        lock (_gate)
        {
            if (_stream is not null && !_failed)
                return _stream;
            // A stream that has failed for good is replaced; its users have seen the failure.
            _failed = false;
            _channel ??= ClientChannel.Open(address);
            var endpoint = new CoordinatorEndpoint(new Uri("http://localhost"), address, token, "this worker's own");
            CallInvoker calls = _channel.CreateCallInvoker();
            if (local is not null)
                calls = new LocalInvoker(calls, local);
            var services = new ObjectServices(
                calls.Intercept(new AnswerReader()).Intercept(new BearerTokenInterceptor(token)), new CoordinatorCalls(endpoint));
            var stream = _stream = new ObjectStream(services, new CreateSessionRequest { DisplayName = displayName });
            stream.Failed += _ =>
            {
                lock (_gate)
                    _failed |= _stream == stream;
            };
            return stream;
        }
    }
}
