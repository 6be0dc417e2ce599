using Google.Protobuf;
using Grpc.Core;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Transport.LocalCalls;

/// <summary>A call in progress, of any kind: its responses and its end.</summary>
internal abstract class LocalClientCall
{
    private static readonly Task UnknownProgress = new TaskCompletionSource().Task;
    private static readonly TimeSpan LongestTimer = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private const string DetailsTrailer = "grpc-status-details-bin";

    private readonly LocalClientConnection _connection;
    private readonly CancellationToken _cancellationToken;
    private readonly Lock _gate = new();
    private CancellationTokenRegistration _cancelling;
    private readonly ITimer? _deadline;
    private volatile Task _sending = Task.CompletedTask;
    private bool _isOver;

    /// <param name="connection">The connection, which is the call's until it ends.</param>
    /// <param name="options">Deadline and cancellation.</param>
    protected LocalClientCall(LocalClientConnection connection, CallOptions options)
    {
        _connection = connection;
        _cancellationToken = options.CancellationToken;
        connection.Begin(this);
        if (TimeLeft(options) is { } left)
        {
            _deadline = TimeProvider.System.CreateTimer(
                static call => ((LocalClientCall)call!).GiveUp(new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded")),
                this, left, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>How the call ended.</summary>
    /// <exception cref="InvalidOperationException">It has not ended.</exception>
    public Status Status
    {
        get => field.StatusCode == StatusCode.OK && !_isOver
            ? throw new InvalidOperationException("Unable to get the status because the call is not complete.") : field;
        private set;
    }

    /// <summary>The details of its end.</summary>
    public Metadata Trailers { get; private set; } = [];

    protected LocalClientConnection Connection => _connection;

    /// <summary>The time to the deadline; null without one, or beyond the longest timer, which means never.</summary>
    public static TimeSpan? TimeLeft(CallOptions options)
    {
        if (options.Deadline is not { } deadline || deadline == DateTime.MaxValue)
            return null;
        var left = deadline.ToUniversalTime() - TimeProvider.System.GetUtcNow().UtcDateTime;
        return left < TimeSpan.Zero ? TimeSpan.Zero : left > LongestTimer ? null : left;
    }

    /// <summary>Reacts to the call's cancellation, once everything that it concerns exists.</summary>
    public void WatchCancellation() => _cancelling = _cancellationToken.UnsafeRegister(
        static call => ((LocalClientCall)call!).GiveUp(new Status(StatusCode.Cancelled, "Call canceled by the client.")), this);

    /// <summary>A message has arrived; its content is not kept.</summary>
    public abstract void OnMessage(ReadOnlyMemory<byte> content);

    /// <summary>A file descriptor has arrived.</summary>
    public abstract void OnDescriptor(SafeFileHandle descriptor);

    /// <summary>The end has arrived.</summary>
    public void OnStatus(byte[] content)
    {
        var status = Status.DefaultSuccess;
        if (content.Length > 0)
        {
            var given = Google.Rpc.Status.Parser.ParseFrom(content);
            status = new Status((StatusCode)given.Code, given.Message);
            Trailers = new Metadata { { DetailsTrailer, content } };
        }

        if (!TryEnd(status))
            return;
        // A message of which the coordinator has not taken all would be in the next call's way.
        if (_sending.IsCompletedSuccessfully)
            _connection.Release();
        else
            _connection.Dispose();
        OnEnd(ErrorOf(status));
    }

    /// <summary>The connection broke.</summary>
    public void OnBroken(string reason)
    {
        var status = new Status(StatusCode.Unavailable, reason, new IOException(reason));
        if (TryEnd(status))
            OnEnd(ErrorOf(status));
    }

    /// <summary>Gives the call up, if it has not ended: the connection is closed, which the coordinator takes for a cancel.</summary>
    public void Dispose() => GiveUp(new Status(StatusCode.Cancelled, "gRPC call disposed."));

    /// <summary>What the waiter for the end gets; null for success.</summary>
    protected abstract void OnEnd(Exception? error);

    /// <summary>Sends what <paramref name="add"/> adds, and ends the call where the connection is broken.</summary>
    /// <exception cref="RpcException">The call has ended with an error.</exception>
    /// <exception cref="InvalidOperationException">The call has ended.</exception>
    protected Task SendAsync<T>(T message, Action<FrameWriter, T> add)
    {
        lock (_gate)
        {
            // The connection may already be another call's.
            if (_isOver)
                return Task.FromException((Exception?)ErrorOf(Status) ?? AlreadyComplete());
            if (_sending == UnknownProgress)
                return Task.FromException(new InvalidOperationException(
                    "Can't write the message because the previous write is in progress."));
            if (!_sending.IsCompleted)
                return AfterLastAsync(_sending, message, add);
            add(_connection.Writer, message);
            // Until it is known how far the connection has got with it.
            _sending = UnknownProgress;
        }

        // Not under the lock: within a process the handler runs in here.
        Task sending;
        try
        {
            sending = _connection.SendAsync();
        }
        catch (IOException exception)
        {
            return Task.FromException(Break(exception.Message));
        }

        _sending = sending;
        return sending.IsCompletedSuccessfully ? sending : RestAsync(sending);
    }

    private static InvalidOperationException AlreadyComplete() => new("Can't write the message because the call is complete.");

    private async Task AfterLastAsync<T>(Task last, T message, Action<FrameWriter, T> add)
    {
        await last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await SendAsync(message, add).ConfigureAwait(false);
    }

    private async Task RestAsync(Task sending)
    {
        try
        {
            await sending.ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            throw Break(exception.Message);
        }
    }

    private Exception Break(string fault)
    {
        OnBroken(fault);
        return (Exception?)ErrorOf(Status) ?? AlreadyComplete();
    }

    private void GiveUp(Status status)
    {
        if (!TryEnd(status))
            return;
        _connection.Dispose();
        OnEnd(status.StatusCode == StatusCode.Cancelled && _cancellationToken.IsCancellationRequested
            ? new OperationCanceledException(status.Detail, new RpcException(status), _cancellationToken)
            : ErrorOf(status));
    }

    private bool TryEnd(Status status)
    {
        lock (_gate)
        {
            if (_isOver)
                return false;
            Status = status;
            _isOver = true;
        }

        _cancelling.Unregister();
        _deadline?.Dispose();
        return true;
    }

    private RpcException? ErrorOf(Status status) => status.StatusCode == StatusCode.OK ? null : new RpcException(status, Trailers);
}
