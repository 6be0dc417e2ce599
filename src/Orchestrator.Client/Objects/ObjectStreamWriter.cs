using Grpc.Core;
using Orchestrator.Contracts;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>
/// The one writer of a connection's request stream, with natural batching: whoever finds nobody writing writes the first message itself, and what has queued up
/// meanwhile goes into the next, on another thread.
/// </summary>
/// <param name="stream">The stream.</param>
/// <param name="first">The first message, which is sent in any case.</param>
/// <param name="ending">Ends the call, where a write fails.</param>
internal sealed class ObjectStreamWriter(IClientStreamWriter<ConnectRequest> stream, ConnectRequest first, CancellationTokenSource ending)
{
    // Measuring an operation exactly costs as much as half of writing it; only those that carry payloads can be large.
    private const int UsualBytes = 64;

    private static readonly TimeSpan s_timeToLearn = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Queue<(Operation Operation, int Bytes)> _operations = new();
    private readonly Queue<ulong> _cancels = new();
    private ConnectRequest? _first = first;
    private ulong _lastTaken;
    private bool _writing;

    /// <summary>Why nothing more is written; the reader knows better, unless the call ended because of this.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Queues an operation; <see cref="Kick"/> follows.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="bytes">Its <see cref="EstimateSize"/>.</param>
    public void Add(Operation operation, int bytes)
    {
        lock (_gate)
            _operations.Enqueue((operation, bytes));
    }

    /// <summary>Queues the wish to give an operation up; <see cref="Kick"/> follows.</summary>
    public void AddCancel(ulong operationId)
    {
        lock (_gate)
            _cancels.Enqueue(operationId);
    }

    /// <summary>Writes what is queued, unless somebody does.</summary>
    public void Kick()
    {
        lock (_gate)
        {
            if (_writing)
                return;
            _writing = true;
        }

        _ = WriteAsync();
    }

    private async Task WriteAsync()
    {
        try
        {
            var borrowed = true;
            while (Take() is { } message)
            {
                var write = stream.WriteAsync(message);
                borrowed &= write.IsCompleted;
                await write.ConfigureAwait(false);
                // A caller lends its thread for one message, not for the backlog of all the others.
                if (!borrowed || !HasQueued())
                    continue;
                borrowed = false;
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            }
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException or OperationCanceledException or IOException)
        {
            // Still marked as writing: nothing is written to this connection any more. The reader learns by itself why the call has ended, and what only the
            // writer knows, as of a message over the limit, ends the call.
            Failure = exception;
            try
            {
                ending.CancelAfter(s_timeToLearn);
            }
            catch (ObjectDisposedException)
            {
                // The connection was given up meanwhile.
            }
        }
    }

    private bool HasQueued()
    {
        lock (_gate)
            return _operations.Count > 0 || _cancels.Count > 0;
    }

    /// <summary>The next message; null where there is none, and nobody writes from then on.</summary>
    private ConnectRequest? Take()
    {
        lock (_gate)
        {
            if (_first is null && _operations.Count == 0 && _cancels.Count == 0)
            {
                _writing = false;
                return null;
            }

            var message = _first ?? new ConnectRequest();
            _first = null;
            var bytes = 0;
            while (message.Operations.Count < ProtocolConstants.MaxItemsPerMessage && _operations.TryPeek(out var next))
            {
                // What would make the message too large gets one of its own.
                if (bytes > 0 && bytes + next.Bytes > ProtocolConstants.TargetMessageBytes)
                    break;
                bytes += next.Bytes;
                message.Operations.Add(next.Operation);
                _lastTaken = next.Operation.OperationId;
                _operations.Dequeue();
            }

            // An operation is asked for in the same message at the latest, and given up after that. One that had its outcome over an earlier connection may be named too.
            while (message.CancelOperationIds.Count < ProtocolConstants.MaxItemsPerMessage
                && _cancels.TryPeek(out var id)
                && (id <= _lastTaken || _operations.Count == 0))
                message.CancelOperationIds.Add(_cancels.Dequeue());
            return message;
        }
    }

    /// <summary>About how many bytes it takes: exactly, where it may be many.</summary>
    public static int EstimateSize(Operation operation) => operation.RequestCase switch
    {
        Operation.RequestOneofCase.Put or Operation.RequestOneofCase.Send or Operation.RequestOneofCase.Settle
            or Operation.RequestOneofCase.UpdateDict or Operation.RequestOneofCase.ReadDict
            or Operation.RequestOneofCase.UpdateList or Operation.RequestOneofCase.UpdateArray => operation.CalculateSize(),
        _ => UsualBytes,
    };
}
