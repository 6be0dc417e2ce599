using Google.Protobuf;
using Grpc.Core;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Coordinator.Security;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>One call of a connection, from OPEN to STATUS.</summary>
internal sealed class LocalCall : TransportCallContext
{
    private const string DetailsTrailer = "grpc-status-details-bin";

    private readonly LocalConnection _connection;
    private readonly CachedAuthentication? _authentication;
    private readonly string _method;
    private readonly DateTime _deadline;
    private readonly CancellationTokenSource _cancelled;
    private readonly bool _hasDeadline;
    private List<Action<bool>>? _onAnswered;
    private Metadata? _headers;
    private Metadata? _trailers;

    /// <param name="connection">Its connection.</param>
    /// <param name="open">How it was opened.</param>
    /// <param name="authentication">Who calls; null for an open method.</param>
    /// <param name="time">For the deadline.</param>
    public LocalCall(LocalConnection connection, LocalCallHead open, CachedAuthentication? authentication, TimeProvider time)
    {
        _connection = connection;
        _authentication = authentication;
        _method = open.Method;
        TraceParent = open.TraceParent;
        _hasDeadline = open.Timeout is not null;
        _deadline = open.Timeout is { } timeout ? time.GetUtcNow().UtcDateTime + timeout : DateTime.MaxValue;
        _cancelled = open.Timeout is { } limit ? new CancellationTokenSource(limit, time) : new CancellationTokenSource();
    }

    /// <summary>Gets the frames of the call's client.</summary>
    public ILocalInvocation? Invocation { get; set; }

    /// <summary>The last that was sent of its answer.</summary>
    public Task Sending { get; set; } = Task.CompletedTask;

    /// <summary>Its connection.</summary>
    public LocalConnection Connection => _connection;

    /// <inheritdoc/>
    public override CachedAuthentication? Authentication => _authentication;

    /// <inheritdoc/>
    public override string TraceParent { get; }

    /// <inheritdoc/>
    public override CancellationToken Disconnected => _connection.Closed;

    /// <summary>Whether the client gave the call up; the deadline is another cause of cancellation.</summary>
    public bool IsCancelledByClient { get; private set; }

    protected override string MethodCore => _method;

    protected override string HostCore => "localhost";

    protected override string PeerCore => $"unix:{_connection.Peer.Id}";

    protected override DateTime DeadlineCore => _deadline;

    protected override Metadata RequestHeadersCore => _headers ??= [];

    protected override CancellationToken CancellationTokenCore => _cancelled.Token;

    protected override Metadata ResponseTrailersCore => _trailers ??= [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => new(null, []);

    /// <inheritdoc/>
    public override void OnAnswered(Action<bool> answered) => (_onAnswered ??= []).Add(answered);

    /// <inheritdoc/>
    public override void SendDescriptor(SafeFileHandle descriptor) => _connection.SendDescriptor(descriptor);

    /// <summary>The client gives the call up, or has disconnected.</summary>
    public void Cancel()
    {
        IsCancelledByClient = true;
        try
        {
            _cancelled.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended.
        }
    }

    /// <summary>The call is over; its frames have been passed to the connection, or not.</summary>
    public void End(bool isWritten)
    {
        _onAnswered?.ForEach(answered => answered(isWritten));
        _cancelled.Dispose();
    }

    /// <summary>How an exception of the handler ends the call: the content of the STATUS frame.</summary>
    public byte[] StatusOf(Exception exception)
    {
        if (exception is RpcException refused && !IsPastDeadline(refused.StatusCode))
            return StatusOf(refused);
        return _cancelled.IsCancellationRequested && exception is OperationCanceledException or RpcException
            ? Encode(
                IsCancelledByClient ? StatusCode.Cancelled : StatusCode.DeadlineExceeded,
                IsCancelledByClient ? "the client gave the call up" : "Deadline Exceeded")
            : Encode(StatusCode.Unknown, "Exception was thrown by handler.");
    }

    /// <summary>The content of the STATUS frame for an error, with its details.</summary>
    public static byte[] StatusOf(RpcException error) =>
        error.Trailers.GetValueBytes(DetailsTrailer) ?? Encode(error.StatusCode, error.Status.Detail);

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("calls of the local transport are not propagated");

    private static byte[] Encode(StatusCode code, string message) =>
        new Google.Rpc.Status { Code = (int)code, Message = message }.ToByteArray();

    private bool IsPastDeadline(StatusCode code) =>
        code == StatusCode.Cancelled && _hasDeadline && _cancelled.IsCancellationRequested && !IsCancelledByClient;
}
