using Grpc.Core;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Transport.LocalCalls;

/// <summary>A stream of responses, and one or many requests.</summary>
internal sealed class LocalStreamCall<TRequest, TResponse>(
    LocalClientConnection connection, Method<TRequest, TResponse> method, CallOptions options)
    : LocalClientCall(connection, options), IAsyncStreamReader<TResponse>, IClientStreamWriter<TRequest>, IDescriptorSource
    where TRequest : class
    where TResponse : class
{
    private readonly Lock _gate = new();
    private TaskCompletionSource<SafeFileHandle>? _descriptor;
    private TaskCompletionSource<bool>? _waiting;
    private bool _isComplete;
    private Exception? _error;
    private bool _hasHalfClosed;

    /// <inheritdoc/>
    public TResponse Current { get; private set; } = null!;

    /// <inheritdoc/>
    public WriteOptions? WriteOptions { get; set; }

    /// <inheritdoc/>
    public Task<SafeFileHandle> Descriptor
    {
        get
        {
            lock (_gate)
            {
                _descriptor ??= NewDescriptor();
                if (_isComplete)
                    _descriptor.TrySetException(_error ?? NoDescriptor());
                return _descriptor.Task;
            }
        }
    }

    /// <summary>Opens the call; <paramref name="request"/> is its only request, null if requests are written.</summary>
    public void Start(ReadOnlySpan<byte> open, TRequest? request)
    {
        var writer = Connection.Writer;
        writer.Add(FrameKind.Open, open);
        _hasHalfClosed = request is not null;
        WatchCancellation();
        // How it ends is said by the responses.
        _ = SendAsync((request, method), static (writer, first) =>
        {
            if (first.request is null)
                return;
            writer.Add(first.request, first.method.RequestMarshaller);
            writer.Add(FrameKind.HalfClose, []);
        }).ContinueWith(
            static sending => sending.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    /// <inheritdoc/>
    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        TaskCompletionSource<bool> waiting;
        lock (_gate)
        {
            if (_isComplete)
                return _error is null ? Task.FromResult(false) : Task.FromException<bool>(_error);
            if (cancellationToken.IsCancellationRequested)
                return Task.FromCanceled<bool>(cancellationToken);
            waiting = _waiting = new TaskCompletionSource<bool>();
        }

        Connection.Want();
        return cancellationToken.CanBeCanceled && !waiting.Task.IsCompleted ? CancelableAsync(waiting, cancellationToken) : waiting.Task;
    }

    /// <inheritdoc/>
    public Task WriteAsync(TRequest message)
    {
        if (_hasHalfClosed)
            throw new InvalidOperationException("Request stream has already been completed.");
        return SendAsync((message, method), static (writer, sent) => writer.Add(sent.message, sent.method.RequestMarshaller));
    }

    /// <inheritdoc/>
    public Task WriteAsync(TRequest message, CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken) : WriteAsync(message);

    /// <inheritdoc/>
    public Task CompleteAsync()
    {
        if (_hasHalfClosed)
            return Task.CompletedTask;
        _hasHalfClosed = true;
        return SendAsync(0, static (writer, _) => writer.Add(FrameKind.HalfClose, []));
    }

    public override void OnMessage(ReadOnlyMemory<byte> content)
    {
        TaskCompletionSource<bool>? waiting;
        try
        {
            Current = Connection.Read(content, method.ResponseMarshaller);
        }
        catch (Exception exception)
        {
            OnBroken($"a response cannot be read: {exception.Message}");
            Connection.Dispose();
            return;
        }

        lock (_gate)
            (waiting, _waiting) = (_waiting, null);
        waiting?.TrySetResult(true);
    }

    public override void OnDescriptor(SafeFileHandle descriptor)
    {
        TaskCompletionSource<SafeFileHandle> waiting;
        lock (_gate)
            waiting = _descriptor ??= NewDescriptor();
        if (!waiting.TrySetResult(descriptor))
            descriptor.Dispose();
        // The response that is awaited follows.
        Connection.Want();
    }

    protected override void OnEnd(Exception? error)
    {
        TaskCompletionSource<bool>? waiting;
        TaskCompletionSource<SafeFileHandle>? descriptor;
        lock (_gate)
        {
            (waiting, _waiting) = (_waiting, null);
            (_isComplete, _error) = (true, error);
            descriptor = _descriptor;
        }

        descriptor?.TrySetException(error ?? NoDescriptor());

        if (error is OperationCanceledException cancelled)
            waiting?.TrySetCanceled(cancelled.CancellationToken);
        else if (error is not null)
            waiting?.TrySetException(error);
        else
            waiting?.TrySetResult(false);
    }

    private static TaskCompletionSource<SafeFileHandle> NewDescriptor() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static InvalidOperationException NoDescriptor() => new("The call has ended without a file descriptor.");

    private async Task<bool> CancelableAsync(TaskCompletionSource<bool> waiting, CancellationToken cancellationToken)
    {
        // As with gRPC, a cancelled read ends the call: what it would have read is lost.
        await using var registration = cancellationToken.UnsafeRegister(
            static call => ((LocalClientCall)call!).Dispose(), this).ConfigureAwait(false);
        try
        {
            return await waiting.Task.ConfigureAwait(false);
        }
        catch (RpcException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }
}
