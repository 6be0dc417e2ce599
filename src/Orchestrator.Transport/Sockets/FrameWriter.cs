using System.Buffers;
using System.Buffers.Binary;
using Grpc.Core;

namespace Orchestrator.Transport.Sockets;

/// <summary>Builds frames in a reusable buffer, several in a row, so that one send carries all of them.</summary>
internal sealed class FrameWriter : SerializationContext, IBufferWriter<byte>
{
    private const int FirstBufferBytes = 1024;

    // A buffer that one rare large message has grown beyond this is released after it.
    private const int KeptBufferBytes = 256 * 1024;

    private byte[] _buffer = new byte[FirstBufferBytes];
    private int _start;
    private int _end;

    /// <summary>The frames so far, until the next change.</summary>
    public ReadOnlyMemory<byte> Frames => _buffer.AsMemory(0, _end);

    /// <summary>Makes it empty again.</summary>
    public void Clear()
    {
        _end = 0;
        if (_buffer.Length > KeptBufferBytes)
            _buffer = new byte[FirstBufferBytes];
    }

    /// <summary>Adds a frame with this content.</summary>
    public void Add(FrameKind kind, ReadOnlySpan<byte> content)
    {
        Begin(kind);
        this.Write(content);
        End();
    }

    /// <summary>Adds a message.</summary>
    public void Add<T>(T message, Marshaller<T> marshaller)
    {
        ArgumentNullException.ThrowIfNull(marshaller);
        Begin(FrameKind.Message);
        try
        {
            marshaller.ContextualSerializer(message, this);
        }
        catch
        {
            _end = _start;
            throw;
        }

        End();
    }

    /// <inheritdoc/>
    public override void SetPayloadLength(int payloadLength) => Reserve(payloadLength);

    /// <inheritdoc/>
    public override IBufferWriter<byte> GetBufferWriter() => this;

    /// <inheritdoc/>
    public override void Complete()
    {
    }

    /// <inheritdoc/>
    public override void Complete(byte[] payload) => this.Write(payload);

    /// <inheritdoc/>
    public void Advance(int count) => _end += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(1, sizeHint));
        return _buffer.AsMemory(_end);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    private void Begin(FrameKind kind)
    {
        Reserve(FrameBuffer.HeadBytes);
        _start = _end;
        _buffer[_start] = (byte)kind;
        _end += FrameBuffer.HeadBytes;
    }

    private void End() =>
        BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(_start + 1), _end - _start - FrameBuffer.HeadBytes);

    private void Reserve(int count)
    {
        if (_buffer.Length - _end < count)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _end + count));
    }
}
