using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// Handles every call that <see cref="CallGate"/> admits: checks the session ids in a worker's requests, and counts
/// streams.
/// </summary>
internal sealed class AuthorizationInterceptor(TaskSessionAuthorizer sessions) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        if (CallScope.WorkerOf(context) is { } worker)
            sessions.Check(request, worker);
        return continuation(request, context);
    }

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        continuation(CallScope.WorkerOf(context) is { } worker ? sessions.Check(requestStream, worker) : requestStream, context);

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        if (CallScope.WorkerOf(context) is { } worker)
            sessions.Check(request, worker);
        return CallScope.FindQuota(context) is not { } quota
            ? UnlessDisconnectedAsync(continuation(request, responseStream, context), context, reads: false)
            : quota.RunAsync(() => UnlessDisconnectedAsync(continuation(request, responseStream, context), context, reads: false));
    }

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        if (CallScope.WorkerOf(context) is { } worker)
            requestStream = sessions.Check(requestStream, worker);
        return CallScope.FindQuota(context) is not { } quota
            ? UnlessDisconnectedAsync(continuation(requestStream, responseStream, context), context, reads: true)
            : quota.RunAsync(() => UnlessDisconnectedAsync(continuation(requestStream, responseStream, context), context, reads: true));
    }

    /// <summary>
    /// A client that cancelled, disconnected or exceeded its deadline is not a server error. A read of a reset stream fails before the call
    /// is known to be cancelled; a read or write that begins later is refused as an invalid operation.
    /// </summary>
    private static async Task UnlessDisconnectedAsync(Task call, ServerCallContext context, bool reads)
    {
        try
        {
            await call;
        }
        catch (Exception exception)
            when ((reads && exception is IOException)
                || (exception is IOException or InvalidOperationException && CallScope.IsOver(context)))
        {
            // No client receives this status.
            throw new RpcException(new Grpc.Core.Status(StatusCode.Cancelled, "the client has disconnected", exception));
        }
    }
}
