using Google.Protobuf;
using Grpc.Core;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Security;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>A connection of the local transport: one call after another.</summary>
internal sealed class LocalConnection : IFrameReceiver, IIncompleteMessage, IDisposable
{
    // As for gRPC's headers.
    private const int MaxOpenBytes = 16 * 1024;

    private readonly LocalServer _server;
    private readonly FrameReader _reader = new();
    private FrameConnection _frames = null!;
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _gate = new();
    private LocalCall? _call;
    private readonly SpareWriter _spare = new();
    private readonly Lock _incomplete = new();
    private bool _hasServed;
    private volatile bool _isBroken;
    private volatile bool _isClosed;
    private volatile bool _isDisposed;
    private int _held;
    private long _incompleteSince;

    /// <param name="server">The server.</param>
    /// <param name="peer">The process at the other end.</param>
    public LocalConnection(LocalServer server, LocalPeer peer)
    {
        _server = server;
        Peer = peer;
        Since = server.Time.GetTimestamp();
    }

    /// <summary>The process at the other end.</summary>
    public LocalPeer Peer { get; }

    /// <summary>Its last credential.</summary>
    public ConnectionAuthenticationCache Cache { get; } = new(PortKind.Grpc);

    /// <summary>What it sends and receives over.</summary>
    public FrameConnection Frames => _frames;

    /// <summary>When it was made.</summary>
    public long Since { get; }

    /// <summary>Fires when the peer has disconnected.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>Builds the frames of the current call.</summary>
    public FrameWriter Writer { get; private set; } = new();

    /// <summary>Begins to serve it.</summary>
    /// <param name="frames">What it sends and receives over; owned from now on.</param>
    public void Start(FrameConnection frames)
    {
        _frames = frames;
        _frames.Start();
        _frames.Want();
    }

    /// <summary>The current call wants its next frame.</summary>
    public void Want() => _frames.Want();

    /// <summary>Sends what <see cref="Writer"/> holds.</summary>
    /// <param name="call">The current call.</param>
    /// <exception cref="IOException">The peer has disconnected.</exception>
    public Task SendAsync(LocalCall call) => SendAsync(call, TakeWriter());

    /// <summary>Sends a file descriptor; before anything else of the current call's answer.</summary>
    /// <exception cref="IOException">The peer has disconnected, or this process is out of file descriptors.</exception>
    public void SendDescriptor(SafeFileHandle descriptor)
    {
        var writer = new FrameWriter();
        writer.Add(FrameKind.Descriptor, []);
        _frames.SendDescriptor(writer.Frames, descriptor);
    }

    /// <summary>Reads a message of the current call, once.</summary>
    public T Read<T>(ReadOnlyMemory<byte> content, Marshaller<T> marshaller) =>
        _reader.Read(content, marshaller, _frames.IsContentOwn);

    /// <summary>The current call has noted its frame, of which no content is needed any more: from now on the next may come.</summary>
    public void EndRead() => _frames.EndRead();

    /// <summary>Ends the current call and waits for the next.</summary>
    /// <param name="call">The call.</param>
    /// <param name="status">The content of STATUS; empty for OK. It follows what <see cref="Writer"/> holds.</param>
    public async Task EndAsync(LocalCall call, byte[] status)
    {
        var isWritten = false;
        try
        {
            if (!call.Sending.IsCompleted)
            {
                // A handler that was cancelled has left its last write behind: the client does not read, and gets no status.
                Abort();
                return;
            }

            Writer.Add(FrameKind.Status, status);
            // All of this before the status leaves: once the client has it, it may open its next call, which another thread may take and
            // answer before this one goes on.
            var writer = TakeWriter();
            lock (_gate)
                _call = null;
            _frames.SkipToOpen();
            _frames.Want();
            await SendAsync(call, writer);
            isWritten = !_isClosed;
        }
        catch (IOException)
        {
            // The client has disconnected, and gets no status.
        }
        finally
        {
            call.End(isWritten);
            _server.OnCallEnded(call);
        }
    }

    /// <summary>A handler has failed: a fault of its own, unless the peer has disconnected.</summary>
    public void OnHandlerFault(string method, Exception fault)
    {
        if (!_isBroken && !_isClosed)
            _server.ReportFault(method, fault);
    }

    /// <summary>Closes it, and cancels its call.</summary>
    public void Abort() => ((IFrameReceiver)this).OnClosed();

    /// <inheritdoc/>
    public void Dispose() => Abort();

    bool IFrameReceiver.KeepsContent => _call?.Invocation?.KeepsContent ?? false;

    int IFrameReceiver.LimitOf(FrameKind kind) => kind switch
    {
        FrameKind.Message => _server.MessageBytes,
        FrameKind.Open => MaxOpenBytes,
        FrameKind.HalfClose or FrameKind.Cancel => 0,
        _ => -1,
    };

    void IFrameReceiver.OnFrame(FrameKind kind, ReadOnlyMemory<byte> content)
    {
        LocalCall? call;
        lock (_gate)
            call = _call;
        switch (kind)
        {
            case FrameKind.Open when call is null:
                Open(content.Span);
                break;
            case FrameKind.Message when call is not null:
                call.Invocation!.OnMessage(content);
                break;
            case FrameKind.HalfClose when call is not null:
                call.Invocation!.OnHalfClose();
                break;
            case FrameKind.Cancel:
                call?.Cancel();
                _frames.Want();
                break;
            case not FrameKind.Open when call is null && _hasServed:
                // Read before the call ended.
                _frames.Want();
                break;
            default:
                Refuse($"a {kind} frame was not expected here");
                break;
        }
    }

    void IFrameReceiver.OnTooLarge(uint length)
    {
        LocalCall? call;
        lock (_gate)
            call = _call;
        if (call is not null)
            call.Invocation!.OnRefused(_server.TooLarge(length));
        else if (_hasServed)
            _frames.Want();
        else
            Refuse("a message was not expected here");
    }

    void IFrameReceiver.OnViolation(FrameKind kind, uint length) => Refuse(
        $"a frame of kind {(int)kind} with {length:N0} bytes is no frame that this coordinator reads, or too large");

    void IFrameReceiver.OnIncomplete(int bytes)
    {
        try
        {
            Hold(bytes);
        }
        catch (RpcException refusal)
        {
            Close(refusal);
        }
    }

    long IIncompleteMessage.Since => _incompleteSince;

    TimeSpan IIncompleteMessage.ArrivalLimit => IncompleteMessageLimits.ArrivalLimit;

    void IIncompleteMessage.EndLate() => Close(RpcErrors.Create(
        V1.ErrorReason.LimitExceeded,
        $"the request did not arrive whole within {IncompleteMessageLimits.ArrivalLimit.TotalSeconds:0} s (message_arrival); send it " +
        "faster, or in smaller messages"));

    void IFrameReceiver.OnFault(Exception fault)
    {
        _server.ReportFault(fault);
        Abort();
    }

    void IFrameReceiver.OnClosed()
    {
        LocalCall? call;
        lock (_gate)
        {
            _isClosed = true;
            call = _call;
        }

        call?.Cancel();
        _closed.Cancel();
        _frames.Dispose();
        _isDisposed = true;
        Hold(0);
        _server.Remove(this);
    }

    private FrameWriter TakeWriter()
    {
        var writer = Writer;
        Writer = _spare.Take();
        return writer;
    }

    private Task SendAsync(LocalCall call, FrameWriter writer)
    {
        try
        {
            call.Sending = _frames.SendAsync(writer.Frames);
        }
        catch (IOException)
        {
            _isBroken = true;
            throw;
        }

        _spare.Return(writer, call.Sending);
        return call.Sending;
    }

    /// <summary>Counts what is kept of an incomplete message.</summary>
    private void Hold(int bytes)
    {
        lock (_incomplete)
        {
            if (bytes > 0 && _isDisposed)
                return;
            if (_held == 0)
                _incompleteSince = _server.Now;
            _server.Hold(this, _held, bytes);
            _held = bytes;
        }
    }

    private void Open(ReadOnlySpan<byte> content)
    {
        LocalCallHead head;
        try
        {
            head = LocalCallHead.Read(content);
        }
        catch (InvalidProtocolBufferException exception)
        {
            Refuse($"the call cannot be read: {exception.Message}");
            return;
        }

        var (method, authentication, refusal) = _server.Admit(this, head);
        var call = new LocalCall(this, head, authentication, _server.Time);
        lock (_gate)
            (_call, _hasServed) = (call, true);
        if (refusal is not null)
        {
            _frames.EndRead();
            _ = EndAsync(call, call.StatusOf(refusal));
            return;
        }

        call.Invocation = method!.Create(call);
        _server.OnCallBegun(call);
        // Not before: another thread that hands over the next frame must find the call.
        _frames.EndRead();
        call.Invocation.Begin();
    }

    /// <summary>Garbage: one status, then the end of the connection.</summary>
    private void Refuse(string reason) => Close(new RpcException(new Grpc.Core.Status(StatusCode.Internal, reason)));

    private void Close(RpcException reason)
    {
        try
        {
            var writer = new FrameWriter();
            writer.Add(FrameKind.Status, LocalCall.StatusOf(reason));
            if (_call is null or { Sending.IsCompleted: true })
                _ = _frames.SendAsync(writer.Frames);
        }
        catch (IOException)
        {
            // The client has disconnected.
        }

        Abort();
    }
}
