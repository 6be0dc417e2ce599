using System.Diagnostics;

namespace Orchestrator.Transport.Sockets;

/// <summary>
/// A connection within this process: what one end sends, its own thread hands to the other end's receiver if that wants it. So a call whose
/// handler need not wait has ended when the code that sent it goes on.
/// </summary>
internal sealed class FramePair : FrameConnection
{
    // As a socket's buffer: a peer that has not read that much holds up the sender.
    private const int HeldBytes = 256 * 1024;

    private FramePair _peer = null!;

    // What the peer could not send; guarded by this end's gate.
    private ReadOnlyMemory<byte> _rest;
    private TaskCompletionSource? _written;

    private FramePair(IFrameReceiver receiver)
        : base(receiver)
    {
    }

    /// <inheritdoc/>
    protected override bool IsNested => true;

    /// <summary>Both ends.</summary>
    public static (FrameConnection One, FrameConnection Other) Create(IFrameReceiver one, IFrameReceiver other)
    {
        var (first, second) = (new FramePair(one), new FramePair(other));
        (first._peer, second._peer) = (second, first);
        return (first, second);
    }

    /// <inheritdoc/>
    public override void Start()
    {
    }

    /// <inheritdoc/>
    public override Task SendAsync(ReadOnlyMemory<byte> frames)
    {
        lock (Gate)
        {
            if (IsDisposed)
                throw new IOException("the connection has been closed");
        }

        return _peer.Deliver(frames);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        TaskCompletionSource? written;
        lock (Gate)
        {
            if (IsDisposed)
                return;
            IsDisposed = true;
            (written, _written, _rest) = (_written, null, default);
        }

        Complete(written, new IOException("the connection was closed"));
        _peer.OnPeerClosed();
    }

    /// <inheritdoc/>
    protected override bool ReceiveLocked()
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        if (_written is not { } written)
            return false;
        Input.Append(_rest.Span);
        (_written, _rest) = (null, default);
        written.TrySetResult();
        return true;
    }

    private Task Deliver(ReadOnlyMemory<byte> frames)
    {
        Task sending;
        lock (Gate)
        {
            if (IsDisposed)
                throw new IOException("the peer has closed the connection");
            // A receiver that reads its frame must not lose it to bytes that need room.
            if (Input.Count <= HeldBytes && (!IsReading || Input.HasRoom(frames.Length)))
            {
                Input.Append(frames.Span);
                sending = Task.CompletedTask;
            }
            else
            {
                _rest = frames;
                _written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                sending = _written.Task;
            }

            PassOnLocked();
        }

        HandleIfWanted();
        return sending;
    }

    private void OnPeerClosed()
    {
        TaskCompletionSource? written;
        bool isEnd;
        lock (Gate)
        {
            if (IsDisposed)
                return;
            (written, _written, _rest) = (_written, null, default);
            IsEnded = true;
            // As with a socket: the end of a connection is told at once to a receiver that wants nothing.
            isEnd = !IsWanted;
            PassOnLocked();
        }

        Complete(written, new IOException("the connection was closed"));
        if (isEnd)
            TellEnd();
        else
            HandleIfWanted();
    }
}
