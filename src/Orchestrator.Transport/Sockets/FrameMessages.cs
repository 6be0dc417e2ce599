using Grpc.Core;

namespace Orchestrator.Transport.Sockets;

/// <summary>
/// The messages of a connection, handed over one at a time: the next is read when it is asked for. One that comes after its reader has
/// given up is kept for the next.
/// </summary>
/// <param name="frames">The connection.</param>
internal sealed class FrameMessages<T>(FrameConnection frames) : IAsyncStreamReader<T>
    where T : class
{
    private readonly Lock _gate = new();
    private TaskCompletionSource<bool>? _waiting;
    private readonly Queue<T> _pending = new();
    private Exception? _fault;
    private bool _isComplete;

    public T Current { get; private set; } = null!;

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<bool>(cancellationToken);
        TaskCompletionSource<bool> waiting;
        lock (_gate)
        {
            if (_pending.TryDequeue(out var pending))
            {
                Current = pending;
                return Task.FromResult(true);
            }

            if (_fault is { } fault)
                return Task.FromException<bool>(fault);
            if (_isComplete)
                return Task.FromResult(false);
            // Continued by the thread that reads the message: the next message would have to wait for that work anyway.
            waiting = _waiting = new TaskCompletionSource<bool>();
        }

        frames.Want();
        return waiting.Task.IsCompleted || !cancellationToken.CanBeCanceled ? waiting.Task : CancelableAsync(waiting, cancellationToken);
    }

    /// <summary>A message has arrived, and its content has been read.</summary>
    public void Add(T message)
    {
        TaskCompletionSource<bool>? waiting;
        lock (_gate)
        {
            (waiting, _waiting) = (_waiting, null);
            if (waiting is null)
                _pending.Enqueue(message);
            else
                Current = message;
        }

        // Only now may another thread take the next, which would else come before this one.
        frames.EndRead();
        waiting?.TrySetResult(true);
    }

    /// <summary>No message follows: because the peer has said so, or with a fault.</summary>
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
            null).ConfigureAwait(false);
        return await waiting.Task.ConfigureAwait(false);
    }
}
