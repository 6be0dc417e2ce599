using Grpc.Core;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Transport.LocalCalls;

/// <summary>One request, one response.</summary>
internal sealed class LocalUnaryCall<TRequest, TResponse>(
    LocalClientConnection connection, Method<TRequest, TResponse> method, CallOptions options) : LocalClientCall(connection, options)
    where TRequest : class
    where TResponse : class
{
    // Continued on the poller's thread: it starts another one where that takes long.
    private readonly TaskCompletionSource<TResponse> _response = new();
    private TResponse? _received;

    /// <summary>The response.</summary>
    public Task<TResponse> Response => _response.Task;

    /// <summary>Sends everything at once.</summary>
    public void Start(ReadOnlySpan<byte> open, TRequest request)
    {
        Connection.Writer.Add(FrameKind.Open, open);
        _ = SendAndWaitAsync(request);
    }

    public override void OnMessage(ReadOnlyMemory<byte> content)
    {
        try
        {
            _received = Connection.Read(content, method.ResponseMarshaller);
        }
        catch (Exception exception)
        {
            OnBroken($"the response cannot be read: {exception.Message}");
            Connection.Dispose();
            return;
        }

        Connection.Want();
    }

    public override void OnDescriptor(SafeFileHandle descriptor)
    {
        descriptor.Dispose();
        Connection.Want();
    }

    protected override void OnEnd(Exception? error)
    {
        if (error is OperationCanceledException cancelled)
            _response.TrySetCanceled(cancelled.CancellationToken);
        else if (error is not null)
            _response.TrySetException(error);
        else if (_received is { } response)
            _response.TrySetResult(response);
        else
            _response.TrySetException(new RpcException(new Status(StatusCode.Internal, "Failed to deserialize response message.")));
    }

    private async Task SendAndWaitAsync(TRequest request)
    {
        try
        {
            WatchCancellation();
            await SendAsync((request, method), static (writer, sent) =>
            {
                writer.Add(sent.request, sent.method.RequestMarshaller);
                writer.Add(FrameKind.HalfClose, []);
            }).ConfigureAwait(false);
            Connection.Want();
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException)
        {
            // The response says so.
        }
    }
}
