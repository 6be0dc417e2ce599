using System.Buffers;
using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Transport.Sockets;

/// <summary>
/// A connection within this process. The thread of a client that sends runs the coordinator's code, and gets what that sends in turn: so a
/// call whose handler need not wait has ended when the client goes on. What a thread of the coordinator sends is handed over on the thread
/// pool: the client's code may take long, and the coordinator's threads must not.
/// </summary>
internal sealed class FramePair : FrameConnection, IThreadPoolWorkItem
{
    // As a socket's buffer: a peer that has not read that much holds up the sender.
    private const int HeldBytes = 256 * 1024;

    // How many sends of clients this thread is in.
    [ThreadStatic]
    private static int s_clientSends;

    private readonly bool _isClient;
    private FramePair _peer = null!;
    private int _isQueued;

    // What the peer could not send; guarded by this end's gate.
    private ReadOnlySequence<byte> _rest;
    private TaskCompletionSource? _written;

    private FramePair(IFrameReceiver receiver, bool isClient)
        : base(receiver) =>
        _isClient = isClient;

    /// <inheritdoc/>
    protected override bool IsNested => true;

    /// <inheritdoc/>
    protected override bool IsWatched => false;

    /// <summary>Both ends.</summary>
    public static (FrameConnection Coordinator, FrameConnection Client) Create(IFrameReceiver coordinator, IFrameReceiver client)
    {
        var (first, second) = (new FramePair(coordinator, isClient: false), new FramePair(client, isClient: true));
        (first._peer, second._peer) = (second, first);
        return (first, second);
    }

    /// <inheritdoc/>
    public override void Start()
    {
    }

    /// <inheritdoc/>
    public override Task SendAsync(ReadOnlySequence<byte> frames)
    {
        lock (Gate)
        {
            if (IsDisposed)
                throw new IOException("the connection has been closed");
        }

        if (!_isClient)
            return _peer.Deliver(frames);
        s_clientSends++;
        try
        {
            return _peer.Deliver(frames);
        }
        finally
        {
            s_clientSends--;
        }
    }

    /// <inheritdoc/>
    public override void SendDescriptor(ReadOnlySequence<byte> frame, SafeFileHandle descriptor)
    {
        _peer.KeepDescriptor(UnixSockets.Duplicate(descriptor));
        _ = SendAsync(frame);
    }

    void IThreadPoolWorkItem.Execute()
    {
        Volatile.Write(ref _isQueued, 0);
        // As with a socket: a receiver that wants nothing is told of the end at once.
        if (IsEnded && !IsWanted)
            TellEnd();
        else
            HandleIfWanted();
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

        KeepDescriptor(null);
        Complete(written, new IOException("the connection was closed"));
        _peer.OnPeerClosed();
    }

    /// <inheritdoc/>
    protected override bool ReceiveLocked()
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        if (_written is not { } written)
            return false;
        Append(_rest);
        (_written, _rest) = (null, default);
        written.TrySetResult();
        return true;
    }

    private Task Deliver(ReadOnlySequence<byte> frames)
    {
        Task sending;
        lock (Gate)
        {
            if (IsDisposed)
                throw new IOException("the peer has closed the connection");
            // A receiver that reads its frame must not lose it to bytes that need room.
            if (Input.Count <= HeldBytes && (!IsReading || Input.HasRoom((int)frames.Length)))
            {
                Append(frames);
                sending = Task.CompletedTask;
            }
            else
            {
                _rest = frames;
                _written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                sending = _written.Task;
            }

            PassOnLocked();
            if (!IsWanted)
                return sending;
        }

        HandOver();
        return sending;
    }

    private void Append(in ReadOnlySequence<byte> frames)
    {
        foreach (var piece in frames)
            Input.Append(piece.Span);
    }

    private void OnPeerClosed()
    {
        TaskCompletionSource? written;
        lock (Gate)
        {
            if (IsDisposed)
                return;
            (written, _written, _rest) = (_written, null, default);
            IsEnded = true;
            PassOnLocked();
        }

        Complete(written, new IOException("the connection was closed"));
        HandOver();
    }

    private void HandOver()
    {
        if (!_isClient || s_clientSends > 0)
            ((IThreadPoolWorkItem)this).Execute();
        else if (Interlocked.Exchange(ref _isQueued, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }
}
