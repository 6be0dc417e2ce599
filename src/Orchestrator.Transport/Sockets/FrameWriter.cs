using System.Buffers;
using System.Buffers.Binary;
using Grpc.Core;
using Orchestrator.Transport.RawMessages;

namespace Orchestrator.Transport.Sockets;

/// <summary>Builds frames in a reusable buffer, several in a row, so that one send carries all of them.</summary>
internal sealed class FrameWriter : SerializationContext, IBufferWriter<byte>
{
    private const int FirstBufferBytes = 1024;

    private const int KeptBufferBytes = 256 * 1024;

    private GrowingArray _buffer = new(FirstBufferBytes, KeptBufferBytes);
    private int _start;
    private int _end;
    private LargeParts? _large;
    private int _largeBefore;

    /// <summary>The frames so far, until the next change.</summary>
    public ReadOnlySequence<byte> Frames
    {
        get
        {
            var written = _buffer.Bytes.AsMemory(0, _end);
            return LargeBytes == 0 ? new ReadOnlySequence<byte>(written) : _large!.Join(written);
        }
    }

    private int LargeBytes => _large?.Bytes ?? 0;

    /// <summary>Makes it empty again, and returns the array of a large message.</summary>
    public void Clear()
    {
        _end = 0;
        _buffer.Trim();
        _large?.RemoveFrom(0);
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
        if (message is MessageBuffer raw)
        {
            Append(raw);
            End();
            return;
        }

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
        return _buffer.Bytes.AsMemory(_end);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    private void Begin(FrameKind kind)
    {
        Reserve(FrameBuffer.HeadBytes);
        _start = _end;
        _largeBefore = LargeBytes;
        _buffer.Bytes[_start] = (byte)kind;
        _end += FrameBuffer.HeadBytes;
    }

    private void End() => BinaryPrimitives.WriteInt32BigEndian(
        _buffer.Bytes.AsSpan(_start + 1), _end - _start - FrameBuffer.HeadBytes + LargeBytes - _largeBefore);

    private void Append(MessageBuffer message)
    {
        var bytes = message.Parts(out var large);
        if (large is not null)
            (_large ??= new LargeParts()).Add(_end - MessageBuffer.PrefixBytes, large);
        this.Write(bytes);
    }

    private void Reserve(int count) => _buffer.Reserve(_end, count);
}
