using System.Runtime.CompilerServices;
using Grpc.Core;
using Orchestrator.Contracts;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>
/// One Connect stream: any number of operations at once, answered as they come. Where it breaks it is opened again and the unanswered operations are sent
/// again under their ids, so that each is done once; only when the session has ended meanwhile do they fail.
/// </summary>
internal sealed class ObjectStream : IAsyncDisposable
{
    private const int MaxReconnects = 8;

    // Of an operation's id and of the fields around it.
    private const int MessageOverhead = 64;

    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(50);

    private readonly CreateSessionRequest _create;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<ulong, PendingOperation> _pending = [];
    private readonly CancellationTokenSource _disposing = new();
    private readonly TaskCompletionSource<string> _session = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _running;
    // Of the present connection; null between two of them.
    private ObjectStreamWriter? _writer;
    private OrchestratorException? _failure;
    private ulong _lastId;
    private int _failures;

    /// <param name="services">The services.</param>
    /// <param name="create">The session to create.</param>
    public ObjectStream(ObjectServices services, CreateSessionRequest create)
    {
        Services = services;
        _create = create;
        // Nobody may be waiting for it when it fails.
        _ = _session.Task.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        // Not on the caller's synchronization context, if it has one: whoever blocks that would wait for a reader that waits for it.
        _running = Task.Run(RunAsync);
    }

    /// <summary>For what has no operation on the stream.</summary>
    public ObjectServices Services { get; }

    /// <summary>The id of the stream's own session, once there is one.</summary>
    public Task<string> Session => _session.Task;

    /// <summary>Called with each notice, on the stream's reader: must not block.</summary>
    public event Action<Notice>? Noticed;

    /// <summary>Called once when nothing more can be asked here.</summary>
    public event Action<OrchestratorException>? Failed;

    /// <summary>
    /// Sends an operation and waits for its outcome. A cancelled one is asked to give up waiting; where it had its outcome in that moment, that
    /// counts, so nothing is ever granted unseen.
    /// </summary>
    /// <exception cref="OrchestratorException">What the operation failed with, or why the stream is of no use.</exception>
    /// <exception cref="OperationCanceledException">It gave up waiting.</exception>
    public async Task<Outcome> SendAsync(Operation operation, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var bytes = ObjectStreamWriter.EstimateSize(operation);
        // The coordinator would end the stream of all for it.
        if (bytes > ProtocolConstants.MaxMessageBytes - MessageOverhead)
        {
            throw ReasonedErrors.Create(
                ErrorReason.LimitExceeded,
                StatusCode.ResourceExhausted,
                $"the {operation.RequestCase} of {bytes:N0} bytes is larger than a message may be, which is {ProtocolConstants.MaxMessageBytes:N0}; send it in parts",
                null,
                null,
                null);
        }

        var pending = new PendingOperation(this, operation, bytes);
        ObjectStreamWriter? writer;
        lock (_gate)
        {
            if (_failure is not null)
                throw Again(_failure);
            operation.OperationId = ++_lastId;
            _pending.Add(operation.OperationId, pending);
            writer = _writer;
            writer?.Add(operation, bytes);
        }

        // By this thread, where nobody writes: to wake another one costs more than the message.
        writer?.Kick();
        Outcome outcome;
        if (cancellationToken.CanBeCanceled)
        {
            await using var cancelling = cancellationToken.UnsafeRegister(static state => ((PendingOperation)state!).Cancel(), pending);
            outcome = await pending.Outcome;
        }
        else
        {
            outcome = await pending.Outcome;
        }

        if (outcome.ResponseCase != Outcome.ResponseOneofCase.Error)
            return outcome;
        if (outcome.Error.Reason == ErrorReason.Cancelled)
            cancellationToken.ThrowIfCancellationRequested();
        throw ObjectErrors.From(outcome.Error);
    }

    /// <summary>Ends the stream. Its session lives on for its time to live, unless it was closed.</summary>
    public async ValueTask DisposeAsync()
    {
        await _disposing.CancelAsync();
        await _running;
        _disposing.Dispose();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            try
            {
                await ConnectAsync();
                Fail(new OrchestratorException("the coordinator ended the session's stream", StatusCode.Unavailable, ErrorReason.Unspecified, null));
                return;
            }
            catch (OperationCanceledException) when (_disposing.IsCancellationRequested)
            {
                Fail(new OrchestratorException("the session was closed by this client", StatusCode.Cancelled, ErrorReason.Cancelled, null));
                return;
            }
            catch (ObjectDisposedException exception)
            {
                Fail(new OrchestratorException("the client was disposed before its session", StatusCode.Cancelled, ErrorReason.Cancelled, exception));
                return;
            }
            catch (RpcException exception)
            {
                var error = Services.Translate(exception);
                // A broken connection is tried again; what the coordinator itself says is final.
                if (error is not CoordinatorUnavailableException || !_session.Task.IsCompletedSuccessfully || ++_failures > MaxReconnects)
                {
                    Fail(error);
                    return;
                }
            }

            await Task.Delay(s_firstPause * Math.Pow(2, _failures - 1), TimeProvider.System, _disposing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One connection, from its first message to its end.</summary>
    private async Task ConnectAsync()
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_disposing.Token);
        using var call = Services.Sessions.Connect(cancellationToken: ending.Token);
        var first = new ConnectRequest();
        if (_session.Task.IsCompletedSuccessfully)
            first.SessionId = await _session.Task;
        else
            first.Create = _create;
        var writer = new ObjectStreamWriter(call.RequestStream, first, ending);
        lock (_gate)
        {
            // What was on its way is among the pending; what is not among them has been answered.
            foreach (var pending in _pending.Values)
            {
                writer.Add(pending.Operation, pending.Bytes);
                if (pending.IsCancelled)
                    writer.AddCancel(pending.Operation.OperationId);
            }

            _writer = writer;
        }

        writer.Kick();
        try
        {
            await ReadAsync(call.ResponseStream);
        }
        catch (OperationCanceledException) when (!_disposing.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, writer.Failure?.Message ?? "the stream broke", writer.Failure));
        }
        catch (Exception exception) when (exception is InvalidOperationException or IOException)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, exception.Message, exception));
        }
        finally
        {
            lock (_gate)
                _writer = null;
            await ending.CancelAsync();
        }
    }

    private async Task ReadAsync(IAsyncStreamReader<ConnectResponse> reader)
    {
        var moving = reader.MoveNext(CancellationToken.None);
        while (await moving)
        {
            var message = reader.Current;
            // Asked for before anybody is resumed: from here on the stream does without this thread.
            moving = reader.MoveNext(CancellationToken.None);
            if (Take(message) is { } last)
                await new ReadAheadAwaitable(moving, last);
        }
    }

    /// <summary>Hands the outcomes out but for the last, whose caller this thread may resume.</summary>
    private PendingOperation? Take(ConnectResponse message)
    {
        // It works: whatever breaks next is a matter of its own.
        _failures = 0;
        if (message.SessionId.Length > 0)
            _session.TrySetResult(message.SessionId);
        foreach (var notice in message.Notices)
            Noticed?.Invoke(notice);
        PendingOperation? last = null;
        foreach (var outcome in message.Outcomes)
        {
            PendingOperation? pending;
            lock (_gate)
                _pending.Remove(outcome.OperationId, out pending);
            if (pending is null)
                continue;
            pending.Take(outcome);
            last?.ResumeElsewhere();
            last = pending;
        }

        return last;
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
        foreach (var pending in left)
            pending.Fail(Again(error));
        Failed?.Invoke(error);
    }

    // Each waiter throws an exception of its own: one object would carry the stack of whoever threw it last.
    private static OrchestratorException Again(OrchestratorException error) => error is CoordinatorUnavailableException
        ? new CoordinatorUnavailableException(error.Message, error)
        : ReasonedErrors.Create(error.Reason, error.StatusCode, error.Message, null, null, error);

    private void Cancel(PendingOperation pending)
    {
        ObjectStreamWriter? writer;
        lock (_gate)
        {
            pending.IsCancelled = true;
            writer = _writer;
            writer?.AddCancel(pending.Operation.OperationId);
        }

        writer?.Kick();
    }

    /// <summary>An operation without its outcome. Its caller is resumed by whichever thread is told to.</summary>
    private sealed class PendingOperation(ObjectStream stream, Operation operation, int bytes) : IThreadPoolWorkItem
    {
        private readonly TaskCompletionSource<Outcome> _ended = new();
        private Outcome? _outcome;

        public Operation Operation => operation;

        public int Bytes => bytes;

        public bool IsCancelled { get; set; }

        public Task<Outcome> Outcome => _ended.Task;

        public void Cancel() => stream.Cancel(this);

        /// <summary>Keeps the outcome for one of the two that follow.</summary>
        public void Take(Outcome outcome) => _outcome = outcome;

        /// <summary>Runs the caller's code.</summary>
        public void Resume() => _ended.TrySetResult(_outcome!);

        public void ResumeElsewhere() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

        public void Fail(Exception error) =>
            ThreadPool.UnsafeQueueUserWorkItem(static item => item.Ended.TrySetException(item.Error), (Ended: _ended, Error: error), preferLocal: false);

        void IThreadPoolWorkItem.Execute() => Resume();
    }

    /// <summary>
    /// Waits for the next message like any await, except that the thread, which would go idle, resumes a caller: it saves a hand-over for each operation of one who does
    /// them one at a time. That caller may do what it likes, even block: the next message is already somebody else's. Where it is there already, the caller
    /// is resumed elsewhere.
    /// </summary>
    private readonly struct ReadAheadAwaitable(Task<bool> moving, PendingOperation last) : ICriticalNotifyCompletion
    {
        public bool IsCompleted
        {
            get
            {
                if (!moving.IsCompleted)
                    return false;
                last.ResumeElsewhere();
                return true;
            }
        }

        public ReadAheadAwaitable GetAwaiter() => this;

        public void GetResult()
        {
            // The loop asks the task itself.
        }

        public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

        public void UnsafeOnCompleted(Action continuation)
        {
            moving.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(continuation);
            last.Resume();
        }
    }
}
