using Grpc.Core;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>What the calls of all kinds share: their end.</summary>
internal abstract class LocalInvocation<TRequest, TResponse>(LocalCall call, Method<TRequest, TResponse> method) : ILocalInvocation
    where TRequest : class
    where TResponse : class
{
    private static readonly byte[] Ok = [];

    protected LocalCall Call => call;

    protected LocalConnection Connection => call.Connection;

    public abstract void Begin();

    public abstract void OnMessage(ReadOnlyMemory<byte> content);

    public abstract void OnHalfClose();

    /// <summary>Reads a message.</summary>
    /// <exception cref="RpcException">It is none that the method takes.</exception>
    protected TRequest Read(ReadOnlyMemory<byte> content) => Connection.Read(content, method.RequestMarshaller);

    /// <summary>Adds a message to what is sent next.</summary>
    protected void Add(TResponse response) => Connection.Writer.Add(response, method.ResponseMarshaller);

    /// <summary>Runs the handler and ends the call as it ends.</summary>
    protected async Task RunAsync<TState>(TState state, Func<TState, Task> handler)
    {
        byte[] status;
        try
        {
            await handler(state);
            status = Ok;
        }
        catch (Exception exception)
        {
            status = call.StatusOf(exception);
            if (exception is not (RpcException or OperationCanceledException))
                Connection.OnHandlerFault(call.Method, exception);
        }

        await Connection.EndAsync(call, status);
    }
}

/// <summary>A call with one request.</summary>
internal abstract class SingleRequestInvocation<TRequest, TResponse>(LocalCall call, Method<TRequest, TResponse> method)
    : LocalInvocation<TRequest, TResponse>(call, method)
    where TRequest : class
    where TResponse : class
{
    private bool _hasBegun;

    public override void Begin() => Connection.Want();

    public override void OnMessage(ReadOnlyMemory<byte> content)
    {
        TRequest? request = null;
        RpcException? refusal = null;
        try
        {
            if (!_hasBegun)
                request = Read(content);
        }
        catch (RpcException exception)
        {
            refusal = exception;
        }

        Answer(request, refusal);
    }

    public override void OnHalfClose() =>
        Answer(null, _hasBegun ? null : new RpcException(new Status(StatusCode.Internal, "Incomplete message.")));

    /// <summary>Handles the request.</summary>
    protected abstract Task AnswerAsync(TRequest request);

    private void Answer(TRequest? request, RpcException? refusal)
    {
        var isFirst = !_hasBegun;
        _hasBegun = true;
        // The content has been read. The half-close, and a cancel, are read meanwhile.
        Connection.Want();
        if (!isFirst)
            return;
        _ = RunAsync(
            (self: this, request, refusal),
            static state => state.refusal is null ? state.self.AnswerAsync(state.request!) : Task.FromException(state.refusal));
    }
}

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

/// <summary>The responses of a stream.</summary>
internal sealed class LocalResponses<TResponse>(LocalCall call, Action<TResponse> add) : IServerStreamWriter<TResponse>
    where TResponse : class
{
    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(TResponse message)
    {
        if (call.CancellationToken.IsCancellationRequested)
            throw new InvalidOperationException("the call has ended");
        add(message);
        return call.Connection.SendAsync();
    }

    public Task WriteAsync(TResponse message, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled(cancellationToken);
        var writing = WriteAsync(message);
        return writing.IsCompleted || !cancellationToken.CanBeCanceled ? writing : writing.WaitAsync(cancellationToken);
    }
}
