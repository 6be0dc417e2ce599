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
    private readonly FrameMessages<Payload> _messages;

    /// <param name="socket">Owned from now on.</param>
    public DirectPipeSocket(SafeFileHandle socket)
    {
        _frames = LocalSocketConnector.Adopt(socket, this);
        _messages = new FrameMessages<Payload>(_frames);
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
            return await _messages.MoveNext(cancellationToken).ConfigureAwait(false) ? _messages.Current : null;
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
        _messages.Complete(null);
    }

    int IFrameReceiver.LimitOf(FrameKind kind) => kind == FrameKind.Message ? int.MaxValue : -1;

    void IFrameReceiver.OnFrame(FrameKind kind, ReadOnlyMemory<byte> content) =>
        _messages.Add(Payload.Parser.ParseFrom(content.Span));

    // Never called: no message is too large here.
    void IFrameReceiver.OnTooLarge(uint length) => ((IFrameReceiver)this).OnViolation(FrameKind.Message, length);

    void IFrameReceiver.OnViolation(FrameKind kind, uint length) =>
        _messages.Complete(new IOException($"the other end sent a frame of kind {(int)kind} with {length:N0} bytes, which is no message"));

    void IFrameReceiver.OnIncomplete(int bytes)
    {
    }

    void IFrameReceiver.OnFault(Exception fault) => _messages.Complete(new IOException(fault.Message, fault));

    void IFrameReceiver.OnClosed() => _messages.Complete(null);
}
