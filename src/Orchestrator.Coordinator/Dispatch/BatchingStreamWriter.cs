using Orchestrator.Contracts;

namespace Orchestrator.Coordinator.Dispatch;

/// <summary>Something that may have messages to write once the engine's lock has been left.</summary>
internal interface IFlushable
{
    /// <summary>Writes what has been queued, unless somebody is writing already.</summary>
    /// <param name="alone">Nothing else waits for the calling thread, so that it may go on with what follows.</param>
    void Flush(bool alone);
}

/// <summary>
/// The one writer of a stream, with natural batching: everything that has queued up since the last write goes into the next message, so that messages
/// grow by themselves under load, and an item on an idle stream leaves at once. The thread that queued it writes the first message itself, since
/// waking another costs 50–100 µs on an idle machine; what comes after is written elsewhere, so that nobody is kept.
/// </summary>
/// <typeparam name="TMessage">The stream's message.</typeparam>
internal abstract class BatchingStreamWriter<TMessage> : IFlushable, IThreadPoolWorkItem
    where TMessage : class
{
    private int _writing;
    private volatile bool _closed;

    /// <summary>Guards what derived classes queue; held for the time of a list operation only.</summary>
    protected Lock Gate { get; } = new();

    /// <summary>Whether nothing will be written any more.</summary>
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

    /// <summary>Ends the writing; what is queued is dropped.</summary>
    public void Close() => _closed = true;

    /// <summary>
    /// Whether so much is under way that a write gains more by waiting for its turn behind the work that the pool has queued, which adds to the message
    /// meanwhile, than by leaving at once: a message costs some fifteen times what an item in it costs.
    /// </summary>
    protected virtual bool IsBusy => false;

    /// <summary>
    /// Takes queued items into a message: at most <see cref="ProtocolConstants.MaxItemsPerMessage"/>, and no more after
    /// <see cref="ProtocolConstants.TargetMessageBytes"/>. Null when nothing is queued.
    /// </summary>
    protected abstract TMessage? Take();

    /// <summary>Writes one message to the stream. Called by one thread at a time.</summary>
    protected abstract Task WriteAsync(TMessage message);

    /// <summary>Called once a message has left.</summary>
    protected virtual void OnWritten(TMessage message)
    {
    }

    /// <summary>Called when a write failed: the peer is gone. The reading side of the stream learns of it by itself.</summary>
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
                        // The thread belongs to whoever queued the first item; it is given back before the next message. With nothing more to
                        // write, as on an idle stream, no other thread is woken for nothing.
                        borrowed = false;
                        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                    }
                }

                Volatile.Write(ref _writing, 0);
                // Something may have been queued between the last look and the mark that nobody writes.
                if (_closed || !HasQueued() || Interlocked.CompareExchange(ref _writing, 1, 0) != 0)
                    return;
            }
        }
        catch (Exception exception)
        {
            // Any failure of a write means that the peer is gone, by RST, GOAWAY or cancellation: the stream is of no use any more.
            _closed = true;
            OnFailed(exception);
        }
    }

    /// <summary>Whether <see cref="Take"/> would find something.</summary>
    protected abstract bool HasQueued();
}
