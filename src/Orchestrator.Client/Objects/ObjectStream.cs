using System.Threading.Channels;
using Grpc.Core;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>
/// One Connect stream: any number of concurrent operations, answered as they complete. When it breaks, it is reopened and the unanswered
/// operations are resent under their ids, so that each is done once; they fail only if the session has ended meanwhile.
/// </summary>
internal sealed class ObjectStream : IAsyncDisposable
{
    private const int MaxOperationsPerMessage = 512;
    private const int MaxReconnects = 8;

    // Bytes of an operation's id and its surrounding fields.
    private const int MessageOverhead = 64;

    // Measuring an operation costs half of what writing it costs; only operations that carry payloads or lists can be large.
    private const int UsualBytes = 64;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);

    private readonly CreateSessionRequest _create;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<ulong, PendingOperation> _pending = [];
    private readonly Channel<StreamItem> _outgoing = Channel.CreateUnbounded<StreamItem>(
        new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _disposing = new();
    private readonly TaskCompletionSource<string> _session = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _running;
    private OrchestratorException? _failure;
    private ulong _lastId;
    private int _failures;

    /// <param name="services">The services.</param>
    /// <param name="create">The session to create.</param>
    public ObjectStream(ObjectServices services, CreateSessionRequest create)
    {
        Services = services;
        _create = create;
        // Observe the exception: the task may fail without a waiter.
        _ = _session.Task.ContinueWith(
            static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _running = RunAsync();
    }

    /// <summary>For calls that have no operation on the stream.</summary>
    public ObjectServices Services { get; }

    /// <summary>The id of the stream's own session, once there is one.</summary>
    public Task<string> Session => _session.Task;

    /// <summary>Called with each notice, on the stream's reader: must not block.</summary>
    public event Action<Notice>? Noticed;

    /// <summary>Called once, when the stream has failed for good.</summary>
    public event Action<OrchestratorException>? Failed;

    /// <summary>
    /// Sends an operation and waits for its outcome. Cancelling asks the coordinator to give up the wait; if the operation already has its
    /// outcome by then, the outcome counts, so nothing is ever granted unseen.
    /// </summary>
    /// <exception cref="OrchestratorException">The operation's error, or the stream's failure.</exception>
    /// <exception cref="OperationCanceledException">The wait was given up.</exception>
    public async Task<Outcome> SendAsync(Operation operation, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var pending = new PendingOperation(operation, Measure(operation));
        lock (_gate)
        {
            if (_failure is not null)
                throw Again(_failure);
            operation.OperationId = ++_lastId;
            _pending.Add(operation.OperationId, pending);
            _outgoing.Writer.TryWrite(new StreamItem(operation, 0, pending.Bytes));
        }

        await using var cancelling = cancellationToken.UnsafeRegister(
            _ =>
            {
                lock (_gate)
                {
                    pending.IsCancelled = true;
                    _outgoing.Writer.TryWrite(new StreamItem(null, operation.OperationId, 0));
                }
            },
            null).ConfigureAwait(false);
        var outcome = await pending.Outcome.Task.ConfigureAwait(false);
        if (outcome.ResponseCase != Outcome.ResponseOneofCase.Error)
            return outcome;
        if (outcome.Error.Reason == ErrorReason.Cancelled)
            cancellationToken.ThrowIfCancellationRequested();
        throw RpcExceptionMapper.Map(outcome.Error);
    }

    /// <summary>
    /// The operation's size in bytes: exact where it may be large. Throws if no message can hold it: the coordinator would end the whole
    /// stream.
    /// </summary>
    private static int Measure(Operation operation)
    {
        if (operation.RequestCase is not (Operation.RequestOneofCase.Put or Operation.RequestOneofCase.Send
            or Operation.RequestOneofCase.Settle
            or Operation.RequestOneofCase.UpdateDict or Operation.RequestOneofCase.ReadDict
            or Operation.RequestOneofCase.UpdateList or Operation.RequestOneofCase.UpdateArray))
            return UsualBytes;
        var bytes = operation.CalculateSize();
        if (bytes <= ProtocolConstants.MaxMessageBytes - MessageOverhead)
            return bytes;
        throw RpcExceptionMapper.Map(
            ErrorReason.LimitExceeded,
            StatusCode.ResourceExhausted,
            $"the {operation.RequestCase} of {bytes:N0} bytes is larger than a message may be, which is " +
            $"{ProtocolConstants.MaxMessageBytes:N0}; send it in parts",
            null,
            null,
            null);
    }

    /// <summary>Ends the stream. The session lives on for its time to live, unless it was closed.</summary>
    public async ValueTask DisposeAsync()
    {
        await _disposing.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _disposing.Dispose();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            try
            {
                await ConnectAsync().ConfigureAwait(false);
                Fail(new OrchestratorException(
                    "the coordinator ended the session's stream", StatusCode.Unavailable, ErrorReason.Unspecified, null));
                return;
            }
            catch (OperationCanceledException) when (_disposing.IsCancellationRequested)
            {
                Fail(new OrchestratorException("the session was closed by this client", StatusCode.Cancelled, ErrorReason.Cancelled, null));
                return;
            }
            catch (ObjectDisposedException exception)
            {
                Fail(new OrchestratorException(
                    "the client was disposed before its session", StatusCode.Cancelled, ErrorReason.Cancelled, exception));
                return;
            }
            catch (RpcException exception)
            {
                var error = Services.Errors.Map(exception);
                // A broken connection is retried; an error from the coordinator itself is final.
                if (error is not CoordinatorUnavailableException || !_session.Task.IsCompletedSuccessfully || ++_failures > MaxReconnects)
                {
                    Fail(error);
                    return;
                }
            }
            catch (Exception exception)
            {
                // Whatever the exception is, no waiter may be left waiting for answers that are no longer read.
                Fail(new OrchestratorException(
                    $"the session's stream has ended: {exception.Message}", StatusCode.Unknown, ErrorReason.Unspecified, exception));
                return;
            }

            await Task.Delay(FirstPause * Math.Pow(2, _failures - 1), TimeProvider.System, _disposing.Token).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One connection, from its first message to its end.</summary>
    private async Task ConnectAsync()
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_disposing.Token);
        using var call = Services.Sessions.Connect(cancellationToken: ending.Token);
        var first = new ConnectRequest();
        if (_session.Task.IsCompletedSuccessfully)
            first.SessionId = await _session.Task.ConfigureAwait(false);
        else
            first.Create = _create;
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

        try
        {
            await call.RequestStream.WriteAsync(first, ending.Token).ConfigureAwait(false);
            var writing = WriteAsync(call.RequestStream, ending.Token);
            while (await call.ResponseStream.MoveNext(ending.Token).ConfigureAwait(false))
                Take(call.ResponseStream.Current);
            await ending.CancelAsync().ConfigureAwait(false);
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (OperationCanceledException) when (!_disposing.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the stream broke"));
        }
        catch (Exception exception) when (exception is InvalidOperationException or IOException)
        {
            // The request stream says only that the call has ended; the response stream says why.
            await call.ResponseStream.MoveNext(ending.Token).ConfigureAwait(false);
            throw new RpcException(new Status(StatusCode.Unavailable, exception.Message, exception));
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Natural batching: what has queued up since the last write goes into the next message.</summary>
    private async Task WriteAsync(IClientStreamWriter<ConnectRequest> writer, CancellationToken cancellationToken)
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

    private void Take(ConnectResponse message)
    {
        // The connection works: a later break starts a new count.
        _failures = 0;
        if (message.SessionId.Length > 0)
            _session.TrySetResult(message.SessionId);
        foreach (var notice in message.Notices)
            Noticed?.Invoke(notice);
        foreach (var outcome in message.Outcomes)
        {
            PendingOperation? pending;
            lock (_gate)
                _pending.Remove(outcome.OperationId, out pending);
            pending?.Outcome.TrySetResult(outcome);
        }
    }

    private void Fail(OrchestratorException error)
    {
        PendingOperation[] left;
        lock (_gate)
        {
            _failure = error;
            left = [.. _pending.Values];
            _pending.Clear();
        }

        _session.TrySetException(error);
        // First, so that a waiter that gets the failure finds the session lost.
        Failed?.Invoke(error);
        foreach (var pending in left)
            pending.Outcome.TrySetException(Again(error));
    }

    // Each waiter throws its own exception: a shared object would carry the stack of the last throw.
    private static OrchestratorException Again(OrchestratorException error) => error is CoordinatorUnavailableException
        ? new CoordinatorUnavailableException(error.Message, error)
        : RpcExceptionMapper.Map(error.Reason, error.StatusCode, error.Message, null, null, error);

    private sealed class PendingOperation(Operation operation, int bytes)
    {
        public Operation Operation => operation;

        public int Bytes => bytes;

        public bool IsCancelled { get; set; }

        public TaskCompletionSource<Outcome> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private readonly record struct StreamItem(Operation? Operation, ulong CancelId, int Bytes);
}
