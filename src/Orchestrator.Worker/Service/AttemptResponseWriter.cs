using Orchestrator.Protocol;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.Tasks;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Service;

/// <summary>
/// The one writer of a response stream. Items that are appended during a write are sent together with the next one, so that messages grow
/// under load. Without a write in progress, the appending thread writes at once: waking another thread for it would cost more than the
/// write.
/// </summary>
internal sealed class AttemptResponseWriter : IAttemptResultWriter
{
    // More than ever waits for a reader that keeps up: several messages, and a few large payloads.
    private const int RoomItems = 8 * ProtocolConstants.MaxItemsPerMessage;
    private const long RoomBytes = 4L * ProtocolConstants.SharedMessageBytes;
    private const int ItemOverhead = 32;

    // One that is being written and one that fills.
    private const int MaxSpare = 2;

    private readonly Lock _gate = new();
    private readonly Func<MessageBuffer, Task> _write;
    private readonly Action _wake;
    private readonly Action _onWritten;
    private readonly Queue<Batch> _full = new();
    private readonly Stack<MessageBuffer> _spare = new(MaxSpare);
    private Batch _open;
    private Vitals? _vitals;
    private MessageBuffer? _written;
    private Task? _writing;
    private bool _busy;
    private bool _broken;
    private bool _closed;
    private int _pendingItems;
    private long _pendingBytes;
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _empty;

    /// <param name="write">The stream's WriteAsync; never called while an earlier call is unfinished.</param>
    /// <param name="wake">Makes another thread call <see cref="Write"/> soon; must be cheap.</param>
    public AttemptResponseWriter(Func<MessageBuffer, Task> write, Action wake)
    {
        _write = write;
        _wake = wake;
        _onWritten = OnWritten;
    }

    public bool HasRoom
    {
        get
        {
            lock (_gate)
                return HasRoomLocked;
        }
    }

    private bool HasRoomLocked => _broken || (_pendingItems < RoomItems && _pendingBytes < RoomBytes);

    public void Completed(in RawAttemptResult result)
    {
        var size = result.Output.Length + ItemOverhead;
        if (result.Error is { } error)
            size += 3 * (error.Message.Length + error.StackTrace.Length);
        lock (_gate)
        {
            if (OpenFor(size))
                _open.Message!.Add(RawAttemptResult.Field, result);
        }
    }

    public void Event(RawAttemptEvent attemptEvent)
    {
        var size = ItemOverhead + attemptEvent.EventCase switch
        {
            RawAttemptEvent.EventOneofCase.PartialOutput => attemptEvent.PartialOutput.Length,
            RawAttemptEvent.EventOneofCase.Log => 3 * attemptEvent.Log.Message.Length,
            _ => 0,
        };
        lock (_gate)
        {
            if (OpenFor(size))
                (_open.Rest ??= new RawExecuteResponse()).Events.Add(attemptEvent);
        }
    }

    public void Returned(AttemptRef attempt)
    {
        lock (_gate)
        {
            if (OpenFor(ItemOverhead))
                (_open.Rest ??= new RawExecuteResponse()).Returned.Add(attempt);
        }
    }

    /// <summary>The latest heartbeat; an unsent older one is replaced.</summary>
    public void Beat(Vitals vitals)
    {
        lock (_gate)
        {
            if (!_closed)
                _vitals = vitals;
        }
    }

    /// <summary>Writes all pending items; later heartbeats are ignored, so that no write is in progress afterwards.</summary>
    public Task CloseAsync()
    {
        lock (_gate)
        {
            _closed = true;
            _vitals = null;
        }

        return FlushAllAsync();
    }

    public void Flush(bool busy)
    {
        if (busy)
            _wake();
        else
            Write();
    }

    public async ValueTask WaitForRoomAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task room;
            lock (_gate)
            {
                if (HasRoomLocked)
                    return;
                room = (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await room.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Writes one message, unless a write is in progress, whose completion then handles the rest.</summary>
    public void Write()
    {
        if (!TryBegin(out var message))
            return;
        if (!Issue(message))
            return;
        // The write completed synchronously. One message is this thread's share: it may be a lane's or the reader's.
        if (End())
            _wake();
    }

    /// <summary>Completes when everything appended so far has been written, or the stream is broken.</summary>
    public Task FlushAllAsync()
    {
        Task empty;
        lock (_gate)
        {
            if (_broken || (!_busy && !HasPending))
                return Task.CompletedTask;
            empty = (_empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        Write();
        return empty;
    }

    /// <summary>Drops all pending and later items: the stream is broken.</summary>
    public void Break()
    {
        lock (_gate)
        {
            _broken = true;
            _full.Clear();
            _open = default;
            _pendingItems = 0;
            _pendingBytes = 0;
            Wake(ref _room);
            Wake(ref _empty);
        }
    }

    private bool HasPending => _full.Count > 0 || _open.Message is not null || _vitals is not null;

    /// <summary>Makes room for an item; false if the stream takes no more items.</summary>
    private bool OpenFor(int size)
    {
        if (_broken)
            return false;
        if (_open.Message is not null
            && (_open.Items >= ProtocolConstants.MaxItemsPerMessage || _open.Bytes + size > ProtocolConstants.TargetMessageBytes))
        {
            _full.Enqueue(_open);
            _open = default;
        }

        _open.Message ??= TakeSpare();
        _open.Items++;
        _open.Bytes += size;
        _pendingItems++;
        _pendingBytes += size;
        return true;
    }

    private MessageBuffer TakeSpare() => _spare.TryPop(out var spare) ? spare : new MessageBuffer();

    private bool TryBegin(out MessageBuffer message)
    {
        lock (_gate)
        {
            message = null!;
            if (_busy || _broken || !HasPending)
                return false;
            _busy = true;
            message = Take();
            return true;
        }
    }

    private MessageBuffer Take()
    {
        if (!_full.TryDequeue(out var batch))
        {
            batch = _open;
            _open = default;
        }

        batch.Message ??= TakeSpare();
        if (_vitals is not null)
        {
            (batch.Rest ??= new RawExecuteResponse()).Vitals = _vitals;
            _vitals = null;
        }

        if (batch.Rest is not null)
            batch.Message.Append(batch.Rest);

        _pendingItems -= batch.Items;
        _pendingBytes -= batch.Bytes;
        if (_room is not null && HasRoomLocked)
            Wake(ref _room);
        return _written = batch.Message;
    }

    /// <summary>True if the write completed synchronously; otherwise its completion continues.</summary>
    private bool Issue(MessageBuffer message)
    {
        try
        {
            _writing = _write(message);
            if (_writing.IsCompletedSuccessfully)
                return true;
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or OperationCanceledException or Grpc.Core.RpcException)
        {
            Break();
            return false;
        }

        _writing.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_onWritten);
        return false;
    }

    private void OnWritten()
    {
        if (!_writing!.IsCompletedSuccessfully)
        {
            // The reader sees this failure too and ends the process; observed here so that it is not reported as unobserved.
            _ = _writing.Exception;
            Break();
            return;
        }

        while (End() && TryBegin(out var message) && Issue(message))
        {
        }
    }

    /// <summary>True if more items wait.</summary>
    private bool End()
    {
        lock (_gate)
        {
            _busy = false;
            _written!.Clear();
            if (_spare.Count < MaxSpare)
                _spare.Push(_written);
            if (HasPending)
                return true;
            Wake(ref _empty);
            return false;
        }
    }

    private static void Wake(ref TaskCompletionSource? source)
    {
        source?.TrySetResult();
        source = null;
    }

    private struct Batch
    {
        public MessageBuffer? Message;
        public RawExecuteResponse? Rest;
        public int Items;
        public long Bytes;
    }
}
