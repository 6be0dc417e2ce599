using System.Buffers;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Transport.Sockets;

/// <summary>A connection over a socket that a poller waits for.</summary>
/// <param name="socket">Connected; owned from now on.</param>
/// <param name="poller">Waits for it.</param>
/// <param name="receiver">Gets its frames.</param>
/// <param name="closed">Called once it is closed.</param>
internal sealed unsafe class FrameSocket(SafeFileHandle socket, SocketPoller poller, IFrameReceiver receiver, Action? closed = null)
    : FrameConnection(receiver), IPolledSocket
{
    private readonly IFrameReceiver _receiver = receiver;
    private ulong _key;
    private ReadOnlySequence<byte> _rest;
    private TaskCompletionSource? _written;

    /// <summary>Whether the peer may send file descriptors; otherwise the kernel closes them.</summary>
    public bool TakesDescriptors { get; init; }

    /// <summary>
    /// Whether the peer's end is told only once all frames before it have been wanted. Otherwise it is told as soon as it is noticed, and
    /// what came before is dropped: no call needs it then.
    /// </summary>
    public bool ReadsToEnd { get; init; }

    /// <inheritdoc/>
    protected override bool IsNested => false;

    /// <inheritdoc/>
    protected override bool IsWatched => SocketPoller.IsOnOwnThread;

    /// <inheritdoc/>
    public override void Start()
    {
        // Under the lock, as it may be ready at once.
        lock (Gate)
            _key = poller.Add(this, socket);
    }

    /// <inheritdoc/>
    public void OnReady(uint events)
    {
        TaskCompletionSource? written = null;
        Exception? fault = null;
        bool isEnd;
        lock (Gate)
        {
            if (IsDisposed)
                return;
            if (_written is not null && (events & (UnixSockets.PollOutput | UnixSockets.PollError | UnixSockets.PollHangUp)) != 0)
                SendRestLocked(out written, out fault);
            var isPeerClosed = !IsWanted && (events & (UnixSockets.PollError | UnixSockets.PollHangUp | UnixSockets.EpollPeerClosed)) != 0;
            isEnd = isPeerClosed && !ReadsToEnd;
            if (isEnd)
                IsEnded = true;
            // The poller would find the end again and again; the next frame that is wanted does, too.
            else if (!isPeerClosed && (IsHandling || !IsWanted))
                OnPausedLocked();
        }

        Complete(written, fault);
        if (isEnd)
            TellEnd();
        else
            HandleIfWanted();
    }

    /// <inheritdoc/>
    public override Task SendAsync(ReadOnlySequence<byte> frames)
    {
        // Not under the lock: the peer that this wakes may take the processor from this thread, and its answer must not wait for it.
        long sent;
        try
        {
            sent = UnixSockets.Send(socket, frames);
        }
        catch (ObjectDisposedException exception)
        {
            throw new IOException("the connection has been closed", exception);
        }

        if (sent == frames.Length)
            return Task.CompletedTask;
        lock (Gate)
        {
            if (IsDisposed)
                throw new IOException("the connection has been closed");
            _rest = frames.Slice(sent);
            _written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            OnPausedLocked();
            return _written.Task;
        }
    }

    /// <inheritdoc/>
    public override void SendDescriptor(ReadOnlySequence<byte> frame, SafeFileHandle descriptor)
    {
        lock (Gate)
        {
            if (IsDisposed)
                throw new IOException("the connection has been closed");
            DescriptorPassing.Send(socket, frame.FirstSpan, descriptor);
        }
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
            (written, _written) = (_written, null);
            poller.Remove(_key);
            socket.Dispose();
        }

        KeepDescriptor(null);
        closed?.Invoke();
        Complete(written, new IOException("the connection was closed"));
    }

    /// <inheritdoc/>
    public void OnHeldUp()
    {
        lock (Gate)
        {
            if (!PassOnLocked())
                return;
        }

        QueueHandling();
    }

    /// <inheritdoc/>
    public void OnFault(Exception fault) => _receiver.OnFault(fault);

    /// <inheritdoc/>
    protected override void OnPausedLocked()
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        if (IsDisposed || IsEnded)
            return;
        var events = IsWanted && !IsHandling ? UnixSockets.PollInput : 0;
        if (_written is not null)
            events |= UnixSockets.PollOutput;
        if (!ReadsToEnd)
            events |= UnixSockets.EpollPeerClosed;
        poller.Arm(socket, _key, events);
    }

    /// <inheritdoc/>
    protected override bool ReceiveLocked()
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        var space = Input.Space();
        while (true)
        {
            var count = Receive(space);
            if (count > 0)
            {
                Input.Add((int)count);
                return true;
            }

            if (count < 0)
            {
                var error = Marshal.GetLastPInvokeError();
                if (error == UnixSockets.Interrupted)
                    continue;
                if (error == UnixSockets.WouldBlock)
                    return false;
            }

            IsEnded = true;
            return true;
        }
    }

    private nint Receive(Span<byte> space)
    {
        if (TakesDescriptors)
        {
            var received = DescriptorPassing.Receive(socket, space, out var descriptor);
            if (descriptor is not null)
                KeepDescriptor(descriptor);
            return received;
        }

        fixed (byte* start = space)
            return UnixSockets.recv(socket, start, (nuint)space.Length, UnixSockets.DoNotWait);
    }

    private void SendRestLocked(out TaskCompletionSource? written, out Exception? fault)
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        (written, fault) = (null, null);
        try
        {
            _rest = _rest.Slice(UnixSockets.Send(socket, _rest));
            if (!_rest.IsEmpty)
                return;
        }
        catch (IOException exception)
        {
            fault = exception;
        }

        _rest = default;
        (written, _written) = (_written, null);
    }
}
