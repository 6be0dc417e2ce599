using Grpc.Core;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>The requests of a stream, handed over one at a time: the next is read from the socket when it is asked for.</summary>
internal sealed class LocalRequests<TRequest>(LocalConnection connection) : IAsyncStreamReader<TRequest>
    where TRequest : class
{
    private readonly Lock _gate = new();
    private TaskCompletionSource<bool>? _waiting;
    private readonly Queue<TRequest> _pending = new();
    private Exception? _fault;
    private bool _isComplete;

    public TRequest Current { get; private set; } = null!;

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<bool>(cancellationToken);
        TaskCompletionSource<bool> waiting;
        lock (_gate)
        {
            if (_fault is { } fault)
                return Task.FromException<bool>(fault);
            if (_pending.TryDequeue(out var pending))
            {
                Current = pending;
                return Task.FromResult(true);
            }

            if (_isComplete)
                return Task.FromResult(false);
            // Continued by the thread that reads the message: the next message would have to wait for that work anyway.
            waiting = _waiting = new TaskCompletionSource<bool>();
        }

        connection.Want();
        return waiting.Task.IsCompleted || !cancellationToken.CanBeCanceled ? waiting.Task : CancelableAsync(waiting, cancellationToken);
    }

    /// <summary>A message has arrived.</summary>
    public void Add(TRequest request)
    {
        TaskCompletionSource<bool>? waiting;
        lock (_gate)
        {
            (waiting, _waiting) = (_waiting, null);
            if (waiting is null)
                _pending.Enqueue(request);
            else
                Current = request;
        }

        connection.EndRead();
        waiting?.TrySetResult(true);
    }

    /// <summary>No message follows: because the client has said so, or with a fault.</summary>
    public void Complete(Exception? fault)
    {
        TaskCompletionSource<bool>? waiting;
        lock (_gate)
        {
            (waiting, _waiting) = (_waiting, null);
            _isComplete = true;
            _fault ??= fault;
        }

        if (fault is null)
            waiting?.TrySetResult(false);
        else
            waiting?.TrySetException(fault);
    }

    private async Task<bool> CancelableAsync(TaskCompletionSource<bool> waiting, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(
            _ =>
            {
                lock (_gate)
                {
                    if (_waiting != waiting)
                        return;
                    _waiting = null;
                }

                waiting.TrySetCanceled(cancellationToken);
            },
            null);
        return await waiting.Task;
    }
}
