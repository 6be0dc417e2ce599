using Grpc.Core;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>The responses of a stream.</summary>
internal sealed class LocalResponses<TResponse>(LocalCall call, Action<TResponse> add) : IServerStreamWriter<TResponse>
    where TResponse : class
{
    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(TResponse message)
    {
        if (call.CancellationToken.IsCancellationRequested)
            throw new InvalidOperationException("the call has ended");
        add(message);
        return call.Connection.SendAsync(call);
    }

    public Task WriteAsync(TResponse message, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled(cancellationToken);
        var writing = WriteAsync(message);
        return writing.IsCompleted || !cancellationToken.CanBeCanceled ? writing : writing.WaitAsync(cancellationToken);
    }
}
