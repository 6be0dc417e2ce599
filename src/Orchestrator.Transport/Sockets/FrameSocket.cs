using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Transport.Sockets;

/// <summary>
/// One end of a connection of the local transport: frames in and out over a socket that a poller waits for. A frame is handed over only
/// when the receiver wants it, so that the socket's own buffer holds up a sender who is too fast.
/// </summary>
internal sealed unsafe class FrameSocket : PolledSocket, IDisposable
{
    private readonly SocketPoller _poller;
    private readonly SafeFileHandle _socket;
    private readonly IFrameReceiver _receiver;
    private readonly Lock _gate = new();
    private readonly FrameBuffer _input;

    // The number of the thread that hands frames over: one that stays in the receiver too long loses its turn to another.
    private int _turn;
    private ulong _key;
    private bool _isHandling;
    private bool _isInReceiver;
    private int _toldIncomplete;
    private bool _isWanted;
    private bool _isEnded;
    private bool _isEndTold;
    private bool _isDisposed;
    private ReadOnlyMemory<byte> _rest;
    private TaskCompletionSource? _written;

    /// <param name="socket">Connected; owned from now on.</param>
    /// <param name="poller">Waits for it.</param>
    /// <param name="receiver">Gets its frames, once <see cref="Want"/> has been called.</param>
    public FrameSocket(SafeFileHandle socket, SocketPoller poller, IFrameReceiver receiver) =>
        (_socket, _poller, _receiver, _input) = (socket, poller, receiver, new FrameBuffer(receiver.LimitOf));

    /// <summary>Begins to wait for it: from now on its receiver may be told of its end.</summary>
    /// <exception cref="IOException">The kernel cannot wait for more sockets.</exception>
    public void Start()
    {
        // Under the lock, as it may be ready at once.
        lock (_gate)
            _key = _poller.Add(this, _socket);
    }

    /// <summary>
    /// Hands the next frame over: on this thread if it has arrived and no other thread hands one over now, else on one of the poller's. The
    /// content of the last frame ends.
    /// </summary>
    public void Want()
    {
        lock (_gate)
            _isWanted = true;
        HandleIfWanted();
    }

    /// <summary>From now on drops frames up to the next that opens a call, without keeping their content.</summary>
    public void SkipToOpen()
    {
        lock (_gate)
            _input.SkipToOpen();
    }

    /// <inheritdoc/>
    public override void OnReady(uint events)
    {
        TaskCompletionSource? written = null;
        Exception? fault = null;
        bool isEnd;
        lock (_gate)
        {
            if (_isDisposed)
                return;
            if (_written is not null && (events & (UnixSockets.PollOutput | UnixSockets.PollError | UnixSockets.PollHangUp)) != 0)
                SendRestLocked(out written, out fault);
            isEnd = !_isWanted && (events & (UnixSockets.PollError | UnixSockets.PollHangUp | UnixSockets.EpollPeerClosed)) != 0;
            if (isEnd)
                _isEnded = true;
            else if (_isHandling || !_isWanted)
                ArmLocked();
        }

        Complete(written, fault);
        if (isEnd)
            TellEnd();
        else
            HandleIfWanted();
    }

    /// <summary>
    /// Sends bytes that hold whole frames. Completes at once, unless the peer does not keep up. They must not change before completion, and
    /// the next call must wait for it.
    /// </summary>
    /// <exception cref="IOException">The peer has closed its end or has died.</exception>
    public Task SendAsync(ReadOnlyMemory<byte> frames)
    {
        lock (_gate)
        {
            if (_isDisposed)
                throw new IOException("the connection has been closed");
            var sent = Send(frames.Span);
            if (sent == frames.Length)
                return Task.CompletedTask;
            _rest = frames[sent..];
            _written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            ArmLocked();
            return _written.Task;
        }
    }

    /// <summary>Closes the connection: the peer reads to the end.</summary>
    public void Dispose()
    {
        TaskCompletionSource? written;
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            (written, _written) = (_written, null);
            _poller.Remove(_key);
            _socket.Dispose();
        }

        Complete(written, new IOException("the connection was closed"));
    }

    /// <inheritdoc/>
    public override void OnHeldUp()
    {
        lock (_gate)
        {
            // A receiver that wants the next frame has read this one, and goes on with something else.
            if (!_isInReceiver || !_isWanted || _isDisposed)
                return;
            _isInReceiver = false;
            _turn++;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static socket => socket.Handle(), this, preferLocal: false);
    }

    /// <inheritdoc/>
    public override void OnFault(Exception fault) => _receiver.OnFault(fault);

    private static void Complete(TaskCompletionSource? written, Exception? fault)
    {
        if (fault is null)
            written?.TrySetResult();
        else
            written?.TrySetException(fault);
    }

    private void HandleIfWanted()
    {
        lock (_gate)
        {
            if (_isHandling || !_isWanted || _isDisposed)
                return;
            _isHandling = true;
        }

        Handle();
    }

    /// <summary>Hands over what has arrived, as long as it is wanted. One thread at a time.</summary>
    private void Handle()
    {
        var turn = Volatile.Read(ref _turn);
        while (true)
        {
            switch (Next(out var kind, out var length, out var content))
            {
                case Step.Frame:
                    TellIncomplete(0);
                    _receiver.OnFrame(kind, content);
                    lock (_gate)
                    {
                        if (turn != _turn)
                            return;
                        _isInReceiver = false;
                    }

                    break;
                case Step.Incomplete:
                    TellIncomplete((int)length);
                    break;
                case Step.Violation:
                    _receiver.OnViolation(kind, length);
                    return;
                case Step.End:
                    TellEnd();
                    return;
                default:
                    return;
            }
        }
    }

    private Step Next(out FrameKind kind, out uint length, out ReadOnlyMemory<byte> content)
    {
        (kind, length, content) = (default, 0, default);
        lock (_gate)
        {
            Debug.Assert(_isHandling);
            while (!_isDisposed)
            {
                if (!_isWanted)
                    return PauseLocked();
                switch (_input.Take(out kind, out length, out content))
                {
                    case FrameStep.Frame:
                        _isWanted = false;
                        _isInReceiver = true;
                        return Step.Frame;
                    case FrameStep.Violation:
                        return Step.Violation;
                }

                if (_isEnded)
                {
                    _isHandling = _isWanted = false;
                    return Step.End;
                }

                if (_input.Count != _toldIncomplete)
                {
                    length = (uint)_input.Count;
                    return Step.Incomplete;
                }

                if (!ReceiveLocked())
                    return PauseLocked();
            }

            return Step.Nothing;
        }
    }

    private Step PauseLocked()
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        _isHandling = false;
        ArmLocked();
        return Step.Nothing;
    }

    private void TellIncomplete(int bytes)
    {
        if (_toldIncomplete == bytes)
            return;
        _toldIncomplete = bytes;
        _receiver.OnIncomplete(bytes);
    }

    private void TellEnd()
    {
        lock (_gate)
        {
            if (_isEndTold)
                return;
            _isEndTold = true;
        }

        _receiver.OnClosed();
    }

    private void ArmLocked()
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        if (_isDisposed || _isEnded)
            return;
        var events = _isWanted && !_isHandling ? UnixSockets.PollInput : 0;
        if (_written is not null)
            events |= UnixSockets.PollOutput;
        _poller.Arm(_socket, _key, events);
    }

    /// <summary>Reads what has arrived, or finds that nothing will come; false if there is nothing now.</summary>
    private bool ReceiveLocked()
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        var space = _input.Space();
        while (true)
        {
            nint count;
            fixed (byte* start = space)
                count = UnixSockets.recv(_socket, start, (nuint)space.Length, UnixSockets.DoNotWait);
            if (count > 0)
            {
                _input.Add((int)count);
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

            _isEnded = true;
            return true;
        }
    }

    private void SendRestLocked(out TaskCompletionSource? written, out Exception? fault)
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        (written, fault) = (null, null);
        try
        {
            _rest = _rest[Send(_rest.Span)..];
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

    /// <summary>Sends until the end or until the peer has no room; returns the number of bytes sent.</summary>
    private int Send(ReadOnlySpan<byte> bytes)
    {
        var sent = 0;
        while (sent < bytes.Length)
        {
            nint count;
            fixed (byte* start = bytes[sent..])
                count = UnixSockets.send(_socket, start, (nuint)(bytes.Length - sent), UnixSockets.DoNotWait | UnixSockets.NoSignal);
            if (count >= 0)
            {
                sent += (int)count;
                continue;
            }

            var error = Marshal.GetLastPInvokeError();
            if (error == UnixSockets.WouldBlock)
                return sent;
            if (error != UnixSockets.Interrupted)
                throw new IOException($"the connection broke: {Marshal.GetPInvokeErrorMessage(error)}");
        }

        return sent;
    }

    private enum Step
    {
        Nothing,
        Frame,
        Incomplete,
        Violation,
        End,
    }
}
