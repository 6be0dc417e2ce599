using System.Buffers;
using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Transport.Sockets;

/// <summary>
/// One end of a connection of the local transport: frames in and out. A frame is handed over only when the receiver wants it, so that a
/// sender who is too fast is held up. The thread that brings a frame hands it over; code that then takes long does not hold up the next
/// frame.
/// </summary>
/// <param name="receiver">Gets the frames, once <see cref="Want"/> has been called.</param>
internal abstract class FrameConnection(IFrameReceiver receiver) : IDisposable
{
    // The number of the thread that hands frames over: one that goes on with something else loses its turn to another.
    private int _turn;
    private int _handler;
    private bool _isHandling;
    private bool _isInReceiver;
    private bool _isReading;
    private int _toldIncomplete;
    private int _isEndTold;
    private SafeFileHandle? _descriptor;

    /// <summary>Guards the state of this end.</summary>
    protected Lock Gate { get; } = new();

    /// <summary>What has arrived.</summary>
    protected FrameBuffer Input { get; } = new(receiver.LimitOf, () => receiver.KeepsContent);

    /// <summary>The receiver wants a frame.</summary>
    protected bool IsWanted { get; private set; }

    /// <summary>A thread looks for what has arrived.</summary>
    protected bool IsHandling => _isHandling;

    /// <summary>The receiver reads the content of a frame.</summary>
    protected bool IsReading => _isReading;

    /// <summary>Nothing more will arrive.</summary>
    protected bool IsEnded { get; set; }

    /// <summary>This end has been closed.</summary>
    protected bool IsDisposed { get; set; }

    /// <summary>
    /// Whether code on the handing thread that asks for a frame gets it at once, on the same stack. Otherwise it gets it as soon as it
    /// returns, which costs less, but nothing may wait for that frame there.
    /// </summary>
    protected abstract bool IsNested { get; }

    /// <summary>
    /// Whether a watch takes the turn from this thread if a receiver's code holds it for long. From another thread it is taken at once: the
    /// code may wait for the next frame.
    /// </summary>
    protected abstract bool IsWatched { get; }

    /// <summary>Begins: from now on the receiver may be told of the connection's end.</summary>
    /// <exception cref="IOException">Out of resources.</exception>
    public abstract void Start();

    /// <summary>
    /// Sends bytes that hold whole frames. Completes at once, unless the peer does not keep up. They must not change before completion, and
    /// the next call must wait for it.
    /// </summary>
    /// <exception cref="IOException">The peer has closed its end or has died.</exception>
    public abstract Task SendAsync(ReadOnlySequence<byte> frames);

    /// <summary>Sends one frame with a file descriptor, of which the peer gets one of its own. No earlier send may be incomplete.</summary>
    /// <exception cref="IOException">The peer has closed its end or has died, or this process is out of file descriptors.</exception>
    public abstract void SendDescriptor(ReadOnlySequence<byte> frame, SafeFileHandle descriptor);

    /// <summary>The descriptor that came with a frame, or null. The caller owns it.</summary>
    public SafeFileHandle? TakeDescriptor() => Interlocked.Exchange(ref _descriptor, null);

    /// <summary>Closes the connection: the peer reads to the end.</summary>
    public abstract void Dispose();

    /// <summary>
    /// Hands the next frame over: on this thread if it has arrived and no other thread hands one over now, else on that of its arrival.
    /// </summary>
    public void Want()
    {
        var isLeft = false;
        lock (Gate)
        {
            // It was looked for in vain before, and is waited for.
            if (IsWanted && !_isHandling)
                return;
            IsWanted = true;
            if (IsNested || _handler != Environment.CurrentManagedThreadId)
                PassOnLocked();
            else
                isLeft = !IsWatched && PassOnLocked();
        }

        if (isLeft)
            QueueHandling();
        else
            HandleIfWanted();
    }

    /// <summary>
    /// The receiver has read the content of its frame, which is not kept longer, and has noted what it needs to take the next: that one, if
    /// wanted, does not wait for what the receiver does then, and another thread may hand it over. Without this call it waits until the
    /// receiver returns.
    /// </summary>
    public void EndRead()
    {
        lock (Gate)
            _isReading = false;
    }

    /// <summary>Whether the content of the frame that is being read is in an array of its own, which nothing else will write to.</summary>
    public bool IsContentOwn => Input.IsContentOwn;

    /// <summary>From now on drops frames up to the next that opens a call, without keeping their content.</summary>
    public void SkipToOpen()
    {
        lock (Gate)
            Input.SkipToOpen();
    }

    /// <summary>A descriptor has come. One that the receiver does not take is closed.</summary>
    protected void KeepDescriptor(SafeFileHandle? descriptor) => Interlocked.Exchange(ref _descriptor, descriptor)?.Dispose();

    /// <summary>Completes a send.</summary>
    protected static void Complete(TaskCompletionSource? written, Exception? fault)
    {
        if (fault is null)
            written?.TrySetResult();
        else
            written?.TrySetException(fault);
    }

    /// <summary>Reads what has arrived, or finds that nothing will come; false if there is nothing now.</summary>
    protected abstract bool ReceiveLocked();

    /// <summary>No thread hands frames over any more, until something arrives or is wanted.</summary>
    protected virtual void OnPausedLocked()
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
    }

    /// <summary>Takes the turn from a receiver that has read its frame and goes on with something else; false if there is none.</summary>
    protected bool PassOnLocked()
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        if (!_isInReceiver || _isReading || !IsWanted || IsDisposed)
            return false;
        _isInReceiver = _isHandling = false;
        _turn++;
        return true;
    }

    /// <summary>Hands over what is wanted and has arrived, unless another thread does.</summary>
    protected void HandleIfWanted()
    {
        int turn;
        lock (Gate)
        {
            if (_isHandling || !IsWanted || IsDisposed)
                return;
            _isHandling = true;
            _handler = Environment.CurrentManagedThreadId;
            turn = _turn;
        }

        Handle(turn);
    }

    /// <summary>The same, on the thread pool.</summary>
    protected void QueueHandling() =>
        ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.HandleIfWanted(), this, preferLocal: false);

    /// <summary>Tells the receiver of the end, once.</summary>
    protected void TellEnd()
    {
        if (Interlocked.Exchange(ref _isEndTold, 1) == 0)
            receiver.OnClosed();
    }

    private void Handle(int turn)
    {
        while (true)
        {
            switch (Next(out var kind, out var length, out var content))
            {
                case (Step.Frame or Step.TooLarge) and var step:
                    TellIncomplete(0);
                    try
                    {
                        if (step == Step.Frame)
                            receiver.OnFrame(kind, content);
                        else
                            receiver.OnTooLarge(length);
                    }
                    catch (Exception fault)
                    {
                        // A fault of one connection's code must end neither the process nor the peer's call.
                        receiver.OnFault(fault);
                        return;
                    }

                    lock (Gate)
                    {
                        if (turn != _turn)
                            return;
                        _isInReceiver = _isReading = false;
                    }

                    break;
                case Step.Incomplete:
                    TellIncomplete((int)length);
                    break;
                case Step.Violation:
                    receiver.OnViolation(kind, length);
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
        lock (Gate)
        {
            Debug.Assert(_isHandling);
            while (!IsDisposed)
            {
                if (!IsWanted)
                    return PauseLocked();
                switch (Input.Take(out kind, out length, out content))
                {
                    case FrameStep.Frame:
                        IsWanted = false;
                        _isInReceiver = _isReading = true;
                        return Step.Frame;
                    case FrameStep.TooLarge:
                        IsWanted = false;
                        _isInReceiver = true;
                        return Step.TooLarge;
                    case FrameStep.Violation:
                        return Step.Violation;
                }

                if (IsEnded)
                {
                    _isHandling = IsWanted = false;
                    return Step.End;
                }

                if (Input.Count != _toldIncomplete)
                {
                    length = (uint)Input.Count;
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
        Debug.Assert(Gate.IsHeldByCurrentThread);
        _isHandling = false;
        OnPausedLocked();
        return Step.Nothing;
    }

    private void TellIncomplete(int bytes)
    {
        if (_toldIncomplete == bytes)
            return;
        _toldIncomplete = bytes;
        receiver.OnIncomplete(bytes);
    }

    private enum Step
    {
        Nothing,
        Frame,
        Incomplete,
        TooLarge,
        Violation,
        End,
    }
}
