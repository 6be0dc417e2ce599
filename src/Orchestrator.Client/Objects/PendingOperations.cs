using System.Diagnostics;
using Grpc.Core;
using Orchestrator.Client.Errors;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>
/// The operations of a Connect stream without an outcome, and the writer of those that are to be sent. An operation on a quiet stream is
/// written by its caller's own thread, since waking another one would cost more than the rest of it; on a busy one another thread writes,
/// which lets operations come together in one message meanwhile.
/// </summary>
internal sealed class PendingOperations : IThreadPoolWorkItem
{
    private const int MaxOperationsPerMessage = 512;

    // As in the coordinator's link to its workers: up to this many operations, latency matters more; above it, throughput does.
    private const int BusyAbove = 4;

    private readonly Lock _gate = new();
    private readonly SortedDictionary<ulong, PendingOperation> _pending = [];
    private readonly Queue<StreamItem> _outgoing = [];
    private OrchestratorException? _failure;
    private IClientStreamWriter<ConnectRequest>? _writer;
    private CancellationToken _ending;
    private ulong _lastId;
    private bool _isWriting;

    /// <summary>Numbers an operation and sends it.</summary>
    /// <exception cref="OrchestratorException">The stream has failed, or no message can hold the operation.</exception>
    public PendingOperation Add(Operation operation) => Add(new PendingOperation(operation));

    /// <inheritdoc cref="Add(Operation)"/>
    public PendingOperation Add(PendingOperation pending)
    {
        bool isWriter, isBusy;
        lock (_gate)
        {
            ThrowIfFailedLocked();
            EnqueueLocked(pending);
            isWriter = TryBeginWriteLocked(out isBusy);
        }

        if (isWriter)
            Write(isBusy);
        return pending;
    }

    /// <summary>Numbers two operations and sends them together: the second runs once the first has succeeded.</summary>
    /// <exception cref="OrchestratorException">The stream has failed.</exception>
    public void Add(PendingOperation first, PendingOperation second)
    {
        bool isWriter, isBusy;
        lock (_gate)
        {
            ThrowIfFailedLocked();
            EnqueueLocked(first);
            second.Operation.After = first.Operation.OperationId;
            EnqueueLocked(second);
            isWriter = TryBeginWriteLocked(out isBusy);
        }

        if (isWriter)
            Write(isBusy);
    }

    /// <summary>Asks the coordinator to give up the wait.</summary>
    public void Cancel(PendingOperation pending)
    {
        lock (_gate)
        {
            pending.IsCancelled = true;
            _outgoing.Enqueue(new StreamItem(null, pending.Operation.OperationId, 0));
            if (_isWriting || _writer is null)
                return;
            _isWriting = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>A new connection: sends all anew.</summary>
    /// <param name="writer">Writes to it.</param>
    /// <param name="ending">Fires when the connection is given up.</param>
    public void Attach(IClientStreamWriter<ConnectRequest> writer, CancellationToken ending)
    {
        lock (_gate)
        {
            // Queued messages are still among the pending; the others have been answered.
            _outgoing.Clear();
            foreach (var pending in _pending.Values)
            {
                _outgoing.Enqueue(new StreamItem(pending.Operation, 0, pending.Bytes));
                if (pending.IsCancelled)
                    _outgoing.Enqueue(new StreamItem(null, pending.Operation.OperationId, 0));
            }

            (_writer, _ending) = (writer, ending);
            _isWriting = true;
        }

        _ = WriteAllAsync();
    }

    /// <summary>The connection has ended: operations wait for the next one.</summary>
    public void Detach()
    {
        lock (_gate)
        {
            _writer = null;
            _isWriting = false;
        }
    }

    /// <summary>The operation that an outcome belongs to; null if it has ended already.</summary>
    public PendingOperation? Take(Outcome outcome)
    {
        lock (_gate)
        {
            _pending.Remove(outcome.OperationId, out var pending);
            return pending;
        }
    }

    /// <summary>The largest operation, if a coordinator may have refused a message for its size; it is removed.</summary>
    public PendingOperation? TakeTooLarge()
    {
        lock (_gate)
        {
            var largest = _pending.Values.MaxBy(pending => pending.Bytes);
            if (largest is null || largest.Bytes <= ProtocolConstants.EnvelopeBytes)
                return null;
            _pending.Remove(largest.Operation.OperationId);
            return largest;
        }
    }

    /// <summary>From now on operations fail with this; returns those that have no outcome, for the caller to fail.</summary>
    public IReadOnlyList<PendingOperation> Close(OrchestratorException error)
    {
        lock (_gate)
        {
            _failure = error;
            PendingOperation[] left = [.. _pending.Values];
            _pending.Clear();
            _outgoing.Clear();
            return left;
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = WriteAllAsync();

    private void ThrowIfFailedLocked()
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        if (_failure is not null)
            throw PendingOperation.Again(_failure);
    }

    private void EnqueueLocked(PendingOperation pending)
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        var operation = pending.Operation;
        operation.OperationId = ++_lastId;
        _pending.Add(operation.OperationId, pending);
        _outgoing.Enqueue(new StreamItem(operation, 0, pending.Bytes));
    }

    private bool TryBeginWriteLocked(out bool isBusy)
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        isBusy = _pending.Count > BusyAbove;
        if (_isWriting || _writer is null)
            return false;
        return _isWriting = true;
    }

    private void Write(bool isBusy)
    {
        if (isBusy)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        else
            _ = WriteAllAsync();
    }

    /// <summary>Natural batching: what has queued up since the last write goes into the next message.</summary>
    private async Task WriteAllAsync()
    {
        IClientStreamWriter<ConnectRequest>? writer = null;
        try
        {
            for (var isFirst = true; TakeMessage(ref writer, out var ending) is { } message; isFirst = false)
            {
                if (!isFirst)
                {
                    // The first thread is the caller's.
                    await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                }

                await writer!.WriteAsync(message, ending).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
            when (exception is RpcException or IOException or InvalidOperationException or OperationCanceledException
                or ObjectDisposedException)
        {
            // The connection broke; its reader says why, and what was not answered is sent over the next one.
            lock (_gate)
            {
                if (_writer == writer)
                    (_writer, _isWriting) = (null, false);
            }
        }
    }

    /// <summary>The next message; null if there is none now, or its connection is not the current one any more.</summary>
    private ConnectRequest? TakeMessage(ref IClientStreamWriter<ConnectRequest>? writer, out CancellationToken ending)
    {
        lock (_gate)
        {
            ending = _ending;
            writer ??= _writer;
            if (writer is null || writer != _writer)
                return null;
            if (_outgoing.Count == 0)
            {
                _isWriting = false;
                return null;
            }

            var message = new ConnectRequest();
            var bytes = 0;
            while (message.Operations.Count + message.CancelOperationIds.Count < MaxOperationsPerMessage
                && _outgoing.TryPeek(out var item))
            {
                // An operation that would make the message too large goes into the next one.
                if (bytes > 0 && bytes + item.Bytes > ProtocolConstants.TargetMessageBytes)
                    break;
                _outgoing.Dequeue();
                bytes += item.Bytes;
                if (item.Operation is { } operation)
                    message.Operations.Add(operation);
                else
                    message.CancelOperationIds.Add(item.CancelId);
            }

            return message;
        }
    }

    private readonly record struct StreamItem(Operation? Operation, ulong CancelId, int Bytes);
}
