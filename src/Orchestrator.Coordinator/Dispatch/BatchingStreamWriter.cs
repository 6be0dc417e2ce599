using Orchestrator.Protocol;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Dispatch;

/// <summary>
/// The single writer of a stream, with natural batching: all items queued since the last write go into the next message, so messages grow
/// under load, and an item on an idle stream leaves at once. The thread that queued the first item writes the first message itself, since
/// waking another thread costs 50–100 µs on an idle machine; a pool thread writes all later messages, so the queueing thread is not held
/// up.
/// </summary>
/// <typeparam name="TMessage">The stream's message.</typeparam>
internal abstract class BatchingStreamWriter<TMessage> : IFlushable, IThreadPoolWorkItem
    where TMessage : class
{
    // Completes once it is closed and nothing is being written.
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _writing;
    private volatile bool _closed;

    /// <summary>Guards the queues of derived classes; held only for the duration of a list operation.</summary>
    protected Lock Gate { get; } = new();

    /// <summary>Whether the writer is closed: it writes no further messages.</summary>
    public bool IsClosed => _closed;

    /// <inheritdoc/>
    public void Flush(bool alone) => Flush();

    /// <summary>As <see cref="Flush(bool)"/>.</summary>
    public void Flush()
    {
        if (_closed || Interlocked.CompareExchange(ref _writing, 1, 0) != 0)
            return;
        if (IsBusy)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        else
            _ = WriteAllAsync();
    }

    void IThreadPoolWorkItem.Execute() => _ = WriteAllAsync();

    /// <summary>Closes the writer and drops the queued items.</summary>
    public void Close() => _closed = true;

    /// <summary>
    /// Closes the writer, drops the queued items, and completes when the message that is being written has been written: a call that ended
    /// meanwhile would end without its status.
    /// </summary>
    /// <param name="gone">Fires when the peer is gone, and the message with it.</param>
    public async Task CloseAsync(CancellationToken gone)
    {
        Close();
        Finish();
        await _ended.Task.WaitAsync(gone).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>
    /// Whether the load is high enough that a write should queue behind the pool's other work, which adds items to the message meanwhile,
    /// instead of leaving at once: a message costs about fifteen times as much as one item in it.
    /// </summary>
    protected virtual bool IsBusy => false;

    /// <summary>
    /// Moves queued items into a message: at most <see cref="ProtocolConstants.MaxItemsPerMessage"/>, and no more after
    /// <see cref="ProtocolConstants.TargetMessageBytes"/>. Null if no item is queued.
    /// </summary>
    protected abstract TMessage? Take();

    /// <summary>Writes one message to the stream. Called by one thread at a time.</summary>
    protected abstract Task WriteAsync(TMessage message);

    /// <summary>Called after a message has been written.</summary>
    protected virtual void OnWritten(TMessage message)
    {
    }

    /// <summary>
    /// Called when a write failed: the peer has disconnected. The reading side of the stream detects the disconnect independently.
    /// </summary>
    protected virtual void OnFailed(Exception exception)
    {
    }

    private async Task WriteAllAsync()
    {
        try
        {
            var borrowed = true;
            while (true)
            {
                while (!_closed && Take() is { } message)
                {
                    var write = WriteAsync(message);
                    borrowed &= write.IsCompletedSuccessfully;
                    await write.ConfigureAwait(false);
                    OnWritten(message);
                    if (borrowed && HasQueued())
                    {
                        // The thread belongs to the caller that queued the first item, so return it before the next message. On an idle
                        // stream, with no further items, no other thread is woken needlessly.
                        borrowed = false;
                        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                    }
                }

                Volatile.Write(ref _writing, 0);
                // An item may have been queued between the last Take and the reset of _writing.
                // HasQueued takes a lock, so that _closed is read after _writing was reset.
                if (!HasQueued() || _closed)
                {
                    if (_closed)
                        Finish();
                    return;
                }

                if (Interlocked.CompareExchange(ref _writing, 1, 0) != 0)
                    return;
            }
        }
        catch (Exception exception)
        {
            // Any write failure means that the peer has disconnected (RST, GOAWAY or cancellation): the stream is unusable from here on.
            _closed = true;
            OnFailed(exception);
            Volatile.Write(ref _writing, 0);
            Finish();
        }
    }

    // Of a closed writer: takes the place of its writing thread for good, unless one still writes, which then does so itself.
    private void Finish()
    {
        if (Interlocked.CompareExchange(ref _writing, 1, 0) == 0)
            _ended.TrySetResult();
    }

    /// <summary>Whether <see cref="Take"/> would return a message.</summary>
    protected abstract bool HasQueued();
}
