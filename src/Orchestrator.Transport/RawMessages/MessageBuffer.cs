using System.Buffers;
using System.Buffers.Binary;
using Google.Protobuf;
using Grpc.Core;

namespace Orchestrator.Transport.RawMessages;

/// <summary>
/// A message as its bytes, in a reusable buffer: written item by item, or as received. The user knows its type.
/// </summary>
internal sealed class MessageBuffer
{
    /// <summary>How much larger an item's bound usually is than the item.</summary>
    public const int ItemSlack = 70;

    // The prefix that gRPC puts in front of a message: a byte that says it is not compressed, and the length (see "Length-Prefixed-Message"
    // in gRPC's PROTOCOL-HTTP2.md). The buffer has room for it, so that the direct stream sends both at once.
    internal const int PrefixBytes = 5;

    private const int FirstBufferBytes = 16 * 1024;

    // A buffer that one rare large message has grown beyond this is released after it.
    private const int KeptBufferBytes = 1024 * 1024;

    private byte[] _buffer = [];
    private int _end = PrefixBytes;

    /// <summary>For gRPC: the bytes as they are.</summary>
    internal static readonly Marshaller<MessageBuffer> Marshaller = Marshallers.Create(
        static (message, context) =>
        {
            context.SetPayloadLength(message.Content.Length);
            context.GetBufferWriter().Write(message.Content);
            context.Complete();
        },
        static context =>
        {
            var payload = context.PayloadAsReadOnlySequence();
            var message = new MessageBuffer { _buffer = ArrayPool<byte>.Shared.Rent(PrefixBytes + (int)payload.Length) };
            payload.CopyTo(message._buffer.AsSpan(PrefixBytes));
            message._end += (int)payload.Length;
            return message;
        });

    /// <summary>The bytes of the message.</summary>
    public ReadOnlySpan<byte> Content => _end == PrefixBytes ? default : _buffer.AsSpan(PrefixBytes, _end - PrefixBytes);

    /// <summary>A buffer with one whole message.</summary>
    public static MessageBuffer Of(IMessage message)
    {
        var encoded = new MessageBuffer();
        encoded.Append(message);
        return encoded;
    }

    /// <summary>Makes it empty again.</summary>
    public void Clear()
    {
        _end = PrefixBytes;
        if (_buffer.Length > KeptBufferBytes)
            _buffer = [];
    }

    /// <summary>Returns the buffer of a message that gRPC has received and that has been read.</summary>
    public void Release()
    {
        var buffer = _buffer;
        _buffer = [];
        _end = PrefixBytes;
        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Adds an item of a repeated field.</summary>
    public void Add<T>(int field, in T item)
        where T : struct, IWireItem
    {
        var atMost = item.SizeAtMost;
        Reserve(1 + FieldWriter.SizeOfNumber + atMost);
        // The length precedes the item but is known afterwards. The number of its bytes is nearly always guessed right; if not, the item is
        // moved.
        var guess = FieldWriter.VarintSize((uint)Math.Max(0, atMost - ItemSlack));
        var start = _end + 1 + guess;
        var writer = new FieldWriter(_buffer.AsSpan(start));
        item.WriteTo(ref writer);
        var length = writer.Position;
        var size = FieldWriter.VarintSize((uint)length);
        if (size != guess)
            _buffer.AsSpan(start, length).CopyTo(_buffer.AsSpan(_end + 1 + size));
        var head = new FieldWriter(_buffer.AsSpan(_end));
        head.WriteVarint(FieldReader.LengthTag(field));
        head.WriteVarint((uint)length);
        _end += head.Position + length;
    }

    /// <summary>Adds the fields of a generated message.</summary>
    public void Append(IMessage message)
    {
        var size = message.CalculateSize();
        Reserve(size);
        message.WriteTo(_buffer.AsSpan(_end, size));
        _end += size;
    }

    /// <summary>The message with its prefix.</summary>
    internal ReadOnlyMemory<byte> WithPrefix()
    {
        Reserve(0);
        _buffer[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(1), _end - PrefixBytes);
        return _buffer.AsMemory(0, _end);
    }

    private void Reserve(int count)
    {
        if (_buffer.Length - _end < count || _buffer.Length == 0)
            Array.Resize(ref _buffer, Math.Max(Math.Max(FirstBufferBytes, _buffer.Length * 2), _end + count));
    }
}
