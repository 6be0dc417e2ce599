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
    private ReadOnlyMemory<byte> _rest;
    private TaskCompletionSource? _written;

    /// <inheritdoc/>
    protected override bool IsNested => false;

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
            isEnd = !IsWanted && (events & (UnixSockets.PollError | UnixSockets.PollHangUp | UnixSockets.EpollPeerClosed)) != 0;
            if (isEnd)
                IsEnded = true;
            else if (IsHandling || !IsWanted)
                OnPausedLocked();
        }

        Complete(written, fault);
        if (isEnd)
            TellEnd();
        else
            HandleIfWanted();
    }

    /// <inheritdoc/>
    public override Task SendAsync(ReadOnlyMemory<byte> frames)
    {
        lock (Gate)
        {
            if (IsDisposed)
                throw new IOException("the connection has been closed");
            var sent = UnixSockets.Send(socket, frames.Span);
            if (sent == frames.Length)
                return Task.CompletedTask;
            _rest = frames[sent..];
            _written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            OnPausedLocked();
            return _written.Task;
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

        ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.HandleIfWanted(), this, preferLocal: false);
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
        poller.Arm(socket, _key, events);
    }

    /// <inheritdoc/>
    protected override bool ReceiveLocked()
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        var space = Input.Space();
        while (true)
        {
            nint count;
            fixed (byte* start = space)
                count = UnixSockets.recv(socket, start, (nuint)space.Length, UnixSockets.DoNotWait);
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

    private void SendRestLocked(out TaskCompletionSource? written, out Exception? fault)
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        (written, fault) = (null, null);
        try
        {
            _rest = _rest[UnixSockets.Send(socket, _rest.Span)..];
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
