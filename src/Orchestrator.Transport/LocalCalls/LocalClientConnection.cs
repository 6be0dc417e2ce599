using Grpc.Core;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Transport.LocalCalls;

/// <summary>A connection to the local transport, used by one call at a time.</summary>
internal sealed class LocalClientConnection : IFrameReceiver, IDisposable
{
    private readonly LocalConnections _owner;
    private readonly FrameReader _reader = new();
    private FrameConnection _frames = null!;
    private volatile LocalClientCall? _call;
    private readonly SpareWriter _spare = new();
    private int _isDisposed;

    private LocalClientConnection(LocalConnections owner) => _owner = owner;

    /// <summary>Makes one; null if there is no place for it.</summary>
    public static LocalClientConnection? Create(LocalConnections owner, Func<IFrameReceiver, FrameConnection?> connect)
    {
        var connection = new LocalClientConnection(owner);
        if (connect(connection) is not { } frames)
            return null;
        connection._frames = frames;
        frames.Start();
        return connection;
    }

    /// <summary>Whether it has been closed, by either side.</summary>
    public bool IsClosed => Volatile.Read(ref _isDisposed) != 0;

    /// <summary>Builds the frames of the current call.</summary>
    public FrameWriter Writer { get; private set; } = new();

    /// <summary>Begins a call.</summary>
    public void Begin(LocalClientCall call)
    {
        Writer.Clear();
        _call = call;
    }

    /// <summary>The current call wants its next frame.</summary>
    public void Want() => _frames.Want();

    /// <summary>Sends what <see cref="Writer"/> holds.</summary>
    /// <exception cref="IOException">The coordinator has closed the connection.</exception>
    public Task SendAsync()
    {
        var writer = Writer;
        var sending = _frames.SendAsync(writer.Frames);
        if (sending.IsCompletedSuccessfully)
        {
            writer.Clear();
            return sending;
        }

        // The last one is still being read from.
        Writer = _spare.Take();
        _spare.Return(writer, sending);
        return sending;
    }

    /// <summary>Reads a message of the current call, once.</summary>
    public T Read<T>(ReadOnlyMemory<byte> content, Marshaller<T> marshaller)
    {
        var message = _reader.Read(content, marshaller);
        _frames.EndRead();
        return message;
    }

    /// <summary>The call has its status: the connection may carry another.</summary>
    public void Release()
    {
        _call = null;
        _owner.Return(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        _frames.Dispose();
    }

    int IFrameReceiver.LimitOf(FrameKind kind) => kind switch
    {
        FrameKind.Message => int.MaxValue,
        FrameKind.Descriptor => 0,
        FrameKind.Status => 1024 * 1024,
        _ => -1,
    };

    void IFrameReceiver.OnFrame(FrameKind kind, ReadOnlyMemory<byte> content)
    {
        if (_call is not { } call)
            return;
        if (kind == FrameKind.Message)
        {
            call.OnMessage(content);
            return;
        }

        if (kind == FrameKind.Descriptor)
        {
            OnDescriptor(call);
            return;
        }

        var status = content.ToArray();
        // With its status the connection may carry another call, which must not wait for what the code of this one does.
        _frames.EndRead();
        call.OnStatus(status);
    }

    private void OnDescriptor(LocalClientCall call)
    {
        if (_frames.TakeDescriptor() is { } descriptor)
        {
            call.OnDescriptor(descriptor);
            return;
        }

        // The kernel has dropped it.
        call.OnBroken("a file descriptor could not be received: this process has as many open as it may have");
        Dispose();
    }

    // Never called: no message is too large for a client.
    void IFrameReceiver.OnTooLarge(uint length) => ((IFrameReceiver)this).OnViolation(FrameKind.Message, length);

    void IFrameReceiver.OnViolation(FrameKind kind, uint length)
    {
        _call?.OnBroken($"the coordinator sent a frame of kind {(int)kind} with {length:N0} bytes, which is none of this protocol");
        Dispose();
    }

    void IFrameReceiver.OnIncomplete(int bytes)
    {
    }

    void IFrameReceiver.OnFault(Exception fault)
    {
        _call?.OnBroken($"the connection failed: {fault.Message}");
        Dispose();
    }

    void IFrameReceiver.OnClosed()
    {
        _call?.OnBroken("the coordinator closed the connection");
        Dispose();
    }
}
