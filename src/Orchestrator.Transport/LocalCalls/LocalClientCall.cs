using Google.Protobuf;
using Grpc.Core;

namespace Orchestrator.Transport.LocalCalls;

/// <summary>A call in progress, of any kind: its responses and its end.</summary>
internal abstract class LocalClientCall
{
    private const string DetailsTrailer = "grpc-status-details-bin";

    private readonly LocalClientConnection _connection;
    private readonly CancellationToken _cancellationToken;
    private readonly Lock _gate = new();
    private CancellationTokenRegistration _cancelling;
    private ITimer? _deadline;
    private bool _isOver;

    protected LocalClientCall(LocalClientConnection connection, CallOptions options)
    {
        _connection = connection;
        _cancellationToken = options.CancellationToken;
        connection.Begin(this);
        if (options.Deadline is { } deadline && deadline < DateTime.MaxValue)
        {
            var left = deadline.ToUniversalTime() - TimeProvider.System.GetUtcNow().UtcDateTime;
            _deadline = TimeProvider.System.CreateTimer(
                static call => ((LocalClientCall)call!).GiveUp(new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded")),
                this,
                left < TimeSpan.Zero ? TimeSpan.Zero : left,
                Timeout.InfiniteTimeSpan);
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

    /// <summary>Reacts to the call's cancellation, once everything that it concerns exists.</summary>
    public void WatchCancellation() => _cancelling = _cancellationToken.UnsafeRegister(
        static call => ((LocalClientCall)call!).GiveUp(new Status(StatusCode.Cancelled, "Call canceled by the client.")), this);

    /// <summary>A message has arrived; its content is not kept.</summary>
    public abstract void OnMessage(ReadOnlyMemory<byte> content);

    /// <summary>The end has arrived.</summary>
    public void OnStatus(ReadOnlySpan<byte> content)
    {
        var status = Status.DefaultSuccess;
        if (!content.IsEmpty)
        {
            var given = Google.Rpc.Status.Parser.ParseFrom(content);
            status = new Status((StatusCode)given.Code, given.Message);
            Trailers = new Metadata { { DetailsTrailer, content.ToArray() } };
        }

        if (!TryEnd(status))
            return;
        _connection.Release();
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

    /// <summary>Sends, and ends the call where the connection is broken.</summary>
    protected async Task SendAsync()
    {
        try
        {
            await _connection.SendAsync().ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            OnBroken(exception.Message);
            throw (Exception?)ErrorOf(Status) ?? new InvalidOperationException("Can't write the message because the call is complete.");
        }
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
