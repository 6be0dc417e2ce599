using System.Buffers.Binary;
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
    /// <summary>The kind, and the length in four bytes.</summary>
    public const int HeadBytes = 5;

    private const int FirstBufferBytes = 16 * 1024;

    // A buffer that one rare large frame has grown beyond this is released after it.
    private const int KeptBufferBytes = 1024 * 1024;

    private readonly SocketPoller _poller;
    private readonly SafeFileHandle _socket;
    private readonly IFrameReceiver _receiver;
    private readonly ulong _key;
    private readonly Lock _gate = new();
    private byte[] _input = new byte[FirstBufferBytes];
    private int _inputStart;
    private int _inputEnd;
    private int _partial;
    private uint _toSkip;
    private bool _isSkipping;
    private bool _isHandling;
    private bool _isInReceiver;
    private int _turn;
    private bool _isWanted;
    private bool _isEnded;
    private bool _isEndTold;
    private bool _isDisposed;
    private ReadOnlyMemory<byte> _rest;
    private TaskCompletionSource? _written;

    /// <param name="socket">Connected; owned from now on.</param>
    /// <param name="poller">Waits for it.</param>
    /// <param name="receiver">Gets its frames, once <see cref="Want"/> has been called.</param>
    public FrameSocket(SafeFileHandle socket, SocketPoller poller, IFrameReceiver receiver)
    {
        _socket = socket;
        _poller = poller;
        _receiver = receiver;
        _key = poller.Add(this, socket);
    }

    private int Buffered => _inputEnd - _inputStart;

    /// <summary>
    /// Hands the next frame over: on this thread if it has arrived and no other thread hands one over now, else on one of the poller's.
    /// </summary>
    public void Want()
    {
        lock (_gate)
        {
            _isWanted = true;
            if (_isHandling || _isDisposed)
                return;
            _isHandling = true;
        }

        Handle();
    }

    /// <summary>From now on drops frames up to the next that opens a call, without keeping their content.</summary>
    public void SkipToOpen()
    {
        lock (_gate)
            _isSkipping = true;
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
        var turn = _turn;
        while (true)
        {
            var step = NextStep(out var kind, out var start, out var length);
            switch (step)
            {
                case Step.Frame:
                    // The buffer stays as it is until the receiver wants the next frame: only the handling thread changes it.
                    _receiver.OnFrame(kind, _input.AsMemory(start, (int)length));
                    lock (_gate)
                    {
                        if (turn != _turn)
                            return;
                        _isInReceiver = false;
                    }

                    break;
                case Step.Partial:
                    _receiver.OnPartial(_partial);
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

    private Step NextStep(out FrameKind kind, out int start, out uint length)
    {
        (kind, start, length) = (default, 0, 0);
        lock (_gate)
        {
            Debug.Assert(_isHandling);
            while (!_isDisposed)
            {
                if (!_isWanted)
                    return PauseLocked();
                SkipLocked();
                if (Buffered >= HeadBytes)
                {
                    kind = (FrameKind)_input[_inputStart];
                    length = BinaryPrimitives.ReadUInt32BigEndian(_input.AsSpan(_inputStart + 1));
                    if (_isSkipping && kind != FrameKind.Open)
                    {
                        _toSkip = HeadBytes + length;
                        continue;
                    }

                    if (_receiver.LimitOf(kind) is var limit && (limit < 0 || length > limit))
                        return Step.Violation;
                    if ((uint)(Buffered - HeadBytes) >= length)
                        return TakeLocked(ref start, (int)length);
                }

                if (_isEnded)
                    return EndLocked();
                var before = Buffered;
                MakeRoom(Buffered < HeadBytes ? HeadBytes : HeadBytes + (int)length);
                if (!ReceiveLocked())
                {
                    if (_isEnded)
                        continue;
                    return PauseLocked();
                }

                if (Buffered >= HeadBytes && _partial != Buffered && before > 0)
                {
                    _partial = Buffered;
                    return Step.Partial;
                }
            }

            return Step.Nothing;
        }
    }

    private Step TakeLocked(ref int start, int length)
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        start = _inputStart + HeadBytes;
        if (_partial != 0)
        {
            // Told first; the frame is taken in the next step.
            _partial = 0;
            return Step.Partial;
        }

        _inputStart = start + length;
        _isWanted = false;
        _isSkipping = false;
        _isInReceiver = true;
        return Step.Frame;
    }

    private Step PauseLocked()
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        _isHandling = false;
        ArmLocked();
        return Step.Nothing;
    }

    private Step EndLocked()
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        _isHandling = _isWanted = false;
        return Step.End;
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

    private void SkipLocked()
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        if (_toSkip == 0)
            return;
        var now = (int)Math.Min(_toSkip, (uint)Buffered);
        _inputStart += now;
        _toSkip -= (uint)now;
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

    private void MakeRoom(int wanted)
    {
        var pending = Buffered;
        if (pending == 0)
            _inputStart = _inputEnd = 0;
        if (pending == 0 && wanted <= FirstBufferBytes && _input.Length > KeptBufferBytes)
            _input = new byte[FirstBufferBytes];
        if (_inputStart + wanted <= _input.Length && _inputEnd < _input.Length)
            return;
        var target = wanted <= _input.Length ? _input : new byte[wanted];
        _input.AsSpan(_inputStart, pending).CopyTo(target);
        _input = target;
        (_inputStart, _inputEnd) = (0, pending);
    }

    /// <summary>Reads what has arrived; false if there is nothing now, or, with <see cref="_isEnded"/>, nothing will come.</summary>
    private bool ReceiveLocked()
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        while (true)
        {
            nint count;
            fixed (byte* start = &_input[_inputEnd])
                count = UnixSockets.recv(_socket, start, (nuint)(_input.Length - _inputEnd), UnixSockets.DoNotWait);
            if (count > 0)
            {
                _inputEnd += (int)count;
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
            return false;
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
        Partial,
        Violation,
        End,
    }
}
