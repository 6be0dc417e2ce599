using Google.Protobuf;
using Grpc.Core;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Transport.LocalCalls;
using Orchestrator.Transport.Sockets;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>The socket of a direct pipe's end. For any number of threads.</summary>
internal sealed class DirectPipeSocket : IFrameReceiver, IDisposable
{
    private static readonly Marshaller<Payload> Marshaller = Marshallers.Create(
        static (payload, context) =>
        {
            context.SetPayloadLength(payload.CalculateSize());
            payload.WriteTo(context.GetBufferWriter());
            context.Complete();
        },
        static Payload (_) => throw new NotSupportedException());

    private readonly FrameConnection _frames;
    private readonly FrameWriter _writer = new();
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly SemaphoreSlim _receiving = new(1, 1);
    private readonly Lock _gate = new();

    // What came for a receive that was cancelled.
    private Payload? _kept;
    private TaskCompletionSource<Payload?>? _waiting;
    private Exception? _fault;
    private bool _isEnded;

    /// <param name="socket">Owned from now on.</param>
    public DirectPipeSocket(SafeFileHandle socket)
    {
        _frames = LocalSocketConnector.Adopt(socket, this);
        _frames.Start();
    }

    /// <summary>Sends a message: waits while the socket has no room. Cancelling does so only until the message is begun.</summary>
    /// <exception cref="IOException">One of the ends is closed.</exception>
    public async Task SendAsync(Payload message, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _writer.Clear();
            _writer.Add(message, Marshaller);
            await _frames.SendAsync(_writer.Frames).ConfigureAwait(false);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>The next message; null at the end of the socket. One that comes after a cancellation is kept for the next call.</summary>
    /// <exception cref="IOException">What came is no message.</exception>
    public async Task<Payload?> ReceiveAsync(CancellationToken cancellationToken)
    {
        await _receiving.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            TaskCompletionSource<Payload?> waiting;
            lock (_gate)
            {
                if (_kept is { } kept)
                {
                    _kept = null;
                    return kept;
                }

                if (_isEnded)
                    return _fault is null ? null : throw new IOException(_fault.Message, _fault);
                // Continued by the thread that reads the message: the next one would have to wait for that work anyway.
                waiting = _waiting = new TaskCompletionSource<Payload?>();
            }

            // Once more after a cancelled receive changes nothing.
            _frames.Want();
            return cancellationToken.CanBeCanceled && !waiting.Task.IsCompleted
                ? await CancelableAsync(waiting, cancellationToken).ConfigureAwait(false)
                : await waiting.Task.ConfigureAwait(false);
        }
        finally
        {
            _receiving.Release();
        }
    }

    /// <summary>Closes the socket: the peer reads what was sent before, then the end.</summary>
    public void Dispose()
    {
        _frames.Dispose();
        End(null);
    }

    int IFrameReceiver.LimitOf(FrameKind kind) => kind == FrameKind.Message ? int.MaxValue : -1;

    void IFrameReceiver.OnFrame(FrameKind kind, ReadOnlyMemory<byte> content)
    {
        var message = Payload.Parser.ParseFrom(content.Span);
        TaskCompletionSource<Payload?>? waiting;
        lock (_gate)
        {
            (waiting, _waiting) = (_waiting, null);
            if (waiting is null)
                _kept = message;
        }

        // Only now may another thread take the next, which would else come before this one.
        _frames.EndRead();
        waiting?.TrySetResult(message);
    }

    // Never called: no message is too large here.
    void IFrameReceiver.OnTooLarge(uint length) => ((IFrameReceiver)this).OnViolation(FrameKind.Message, length);

    void IFrameReceiver.OnViolation(FrameKind kind, uint length) =>
        End(new IOException($"the other end sent a frame of kind {(int)kind} with {length:N0} bytes, which is no message"));

    void IFrameReceiver.OnIncomplete(int bytes)
    {
    }

    void IFrameReceiver.OnFault(Exception fault) => End(fault);

    void IFrameReceiver.OnClosed() => End(null);

    private void End(Exception? fault)
    {
        TaskCompletionSource<Payload?>? waiting;
        lock (_gate)
        {
            if (_isEnded)
                return;
            (_isEnded, _fault) = (true, fault);
            (waiting, _waiting) = (_waiting, null);
        }

        if (fault is null)
            waiting?.TrySetResult(null);
        else
            waiting?.TrySetException(new IOException(fault.Message, fault));
    }

    private async Task<Payload?> CancelableAsync(TaskCompletionSource<Payload?> waiting, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(
            _ =>
            {
                lock (_gate)
                {
                    if (_waiting != waiting)
                        return;
                    _waiting = null;
                }

                waiting.TrySetCanceled(cancellationToken);
            },
            null).ConfigureAwait(false);
        return await waiting.Task.ConfigureAwait(false);
    }
}
