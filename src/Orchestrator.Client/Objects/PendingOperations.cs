using System.Threading.Channels;
using Grpc.Core;
using Orchestrator.Client.Errors;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>The operations of a Connect stream without an outcome, and those of them that are to be sent.</summary>
internal sealed class PendingOperations
{
    private const int MaxOperationsPerMessage = 512;

    private readonly Lock _gate = new();
    private readonly SortedDictionary<ulong, PendingOperation> _pending = [];
    private readonly Channel<StreamItem> _outgoing = Channel.CreateUnbounded<StreamItem>(
        new UnboundedChannelOptions { SingleReader = true });
    private OrchestratorException? _failure;
    private ulong _lastId;

    /// <summary>Numbers an operation and queues it.</summary>
    /// <exception cref="OrchestratorException">The stream has failed, or no message can hold the operation.</exception>
    public PendingOperation Add(Operation operation)
    {
        var pending = new PendingOperation(operation);
        lock (_gate)
        {
            if (_failure is not null)
                throw PendingOperation.Again(_failure);
            operation.OperationId = ++_lastId;
            _pending.Add(operation.OperationId, pending);
            _outgoing.Writer.TryWrite(new StreamItem(operation, 0, pending.Bytes));
        }

        return pending;
    }

    /// <summary>Asks the coordinator to give up the wait.</summary>
    public void Cancel(PendingOperation pending)
    {
        lock (_gate)
        {
            pending.IsCancelled = true;
            _outgoing.Writer.TryWrite(new StreamItem(null, pending.Operation.OperationId, 0));
        }
    }

    /// <summary>Queues all anew, for a new connection.</summary>
    public void Requeue()
    {
        lock (_gate)
        {
            // Queued messages are still among the pending; the others have been answered.
            while (_outgoing.Reader.TryRead(out _))
            {
            }

            foreach (var pending in _pending.Values)
            {
                _outgoing.Writer.TryWrite(new StreamItem(pending.Operation, 0, pending.Bytes));
                if (pending.IsCancelled)
                    _outgoing.Writer.TryWrite(new StreamItem(null, pending.Operation.OperationId, 0));
            }
        }
    }

    public void Complete(Outcome outcome)
    {
        PendingOperation? pending;
        lock (_gate)
            _pending.Remove(outcome.OperationId, out pending);
        pending?.Outcome.TrySetResult(outcome);
    }

    /// <summary>From now on operations fail with this; returns those that have no outcome, for the caller to fail.</summary>
    public IReadOnlyList<PendingOperation> Close(OrchestratorException error)
    {
        lock (_gate)
        {
            _failure = error;
            PendingOperation[] left = [.. _pending.Values];
            _pending.Clear();
            return left;
        }
    }

    /// <summary>Natural batching: what has queued up since the last write goes into the next message.</summary>
    public async Task WriteAsync(IClientStreamWriter<ConnectRequest> writer, CancellationToken cancellationToken)
    {
        while (await _outgoing.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var message = new ConnectRequest();
            var bytes = 0;
            while (message.Operations.Count + message.CancelOperationIds.Count < MaxOperationsPerMessage
                && _outgoing.Reader.TryPeek(out var item))
            {
                // An operation that would make the message too large goes into the next one.
                if (bytes > 0 && bytes + item.Bytes > ProtocolConstants.TargetMessageBytes)
                    break;
                _outgoing.Reader.TryRead(out _);
                bytes += item.Bytes;
                if (item.Operation is { } operation)
                    message.Operations.Add(operation);
                else
                    message.CancelOperationIds.Add(item.CancelId);
            }

            await writer.WriteAsync(message, cancellationToken).ConfigureAwait(false);
        }
    }

    private readonly record struct StreamItem(Operation? Operation, ulong CancelId, int Bytes);
}
