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
    private const int KeptBufferBytes = 1024 * 1024;

    private GrowingArray _buffer;
    private int _end = PrefixBytes;
    private LargeParts? _large;
    private ArraySegment<byte> _own;

    /// <summary>For gRPC: the bytes as they are.</summary>
    internal static readonly Marshaller<MessageBuffer> Marshaller = Marshallers.Create(
        static (message, context) =>
        {
            context.SetPayloadLength(message.Length);
            foreach (var part in message.WithPrefix().Slice(PrefixBytes))
                context.GetBufferWriter().Write(part.Span);
            context.Complete();
        },
        static context =>
        {
            var payload = context.PayloadAsReadOnlySequence();
            // Used once.
            var message = new MessageBuffer(new GrowingArray(first: 0, kept: 0));
            message.Reserve((int)payload.Length);
            payload.CopyTo(message._buffer.Bytes.AsSpan(PrefixBytes));
            message._end += (int)payload.Length;
            return message;
        });

    /// <summary>An empty one.</summary>
    public MessageBuffer()
        : this(new GrowingArray(FirstBufferBytes, KeptBufferBytes))
    {
    }

    private MessageBuffer(GrowingArray buffer) => _buffer = buffer;

    /// <summary>Its size in bytes.</summary>
    public int Length => _end - PrefixBytes + LargeBytes;

    /// <summary>The bytes of a received message.</summary>
    public ReceivedBytes Content => _own.Array is { } own ? new ReceivedBytes(own, _own.Offset, _own.Count)
        : new ReceivedBytes(_end == PrefixBytes ? default : _buffer.Bytes.AsSpan(PrefixBytes, _end - PrefixBytes));

    private int LargeBytes => _large?.Bytes ?? 0;

    /// <summary>A received message in an array that nothing else will write to.</summary>
    public static MessageBuffer Own(ArraySegment<byte> content) => new(new GrowingArray(first: 0, kept: 0)) { _own = content };

    /// <summary>A buffer with one whole message.</summary>
    public static MessageBuffer Of(IMessage message)
    {
        var encoded = new MessageBuffer();
        encoded.Append(message);
        return encoded;
    }

    /// <summary>Makes it empty again, and returns the array of a large or a received message.</summary>
    public void Clear()
    {
        _end = PrefixBytes;
        _buffer.Trim();
        _large?.RemoveFrom(0);
        _own = default;
    }

    /// <summary>Adds an item of a repeated field.</summary>
    public void Add<T>(int field, in T item)
        where T : struct, IWireItem
    {
        var atMost = item.SizeAtMost;
        var (firstPart, partBytes) = (_large?.Count ?? 0, LargeBytes);
        Reserve(1 + FieldWriter.SizeOfNumber + atMost);
        // The length precedes the item but is known afterwards. The number of its bytes is nearly always guessed right; if not, the item is
        // moved.
        var guess = FieldWriter.VarintSize((uint)Math.Max(0, atMost - ItemSlack));
        var start = _end + 1 + guess;
        var writer = new FieldWriter(_buffer.Bytes.AsSpan(start), this);
        item.WriteTo(ref writer);
        var written = writer.Position;
        partBytes = LargeBytes - partBytes;
        var length = written + partBytes;
        var size = FieldWriter.VarintSize((uint)length);
        if (size != guess)
            _buffer.Bytes.AsSpan(start, written).CopyTo(_buffer.Bytes.AsSpan(_end + 1 + size));
        var head = new FieldWriter(_buffer.Bytes.AsSpan(_end));
        head.WriteVarint(FieldReader.LengthTag(field));
        head.WriteVarint((uint)length);
        _end += head.Position;
        if (partBytes > 0)
            _large!.Move(firstPart, by: _end);
        _end += written;
    }

    /// <summary>Adds the fields of a generated message.</summary>
    public void Append(IMessage message)
    {
        var size = message.CalculateSize();
        Reserve(size);
        message.WriteTo(_buffer.Bytes.AsSpan(_end, size));
        _end += size;
    }

    /// <summary>The message with its prefix.</summary>
    internal ReadOnlySequence<byte> WithPrefix()
    {
        Reserve(0);
        _buffer.Bytes[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(_buffer.Bytes.AsSpan(1), Length);
        var written = _buffer.Bytes.AsMemory(0, _end);
        return LargeBytes == 0 ? new ReadOnlySequence<byte>(written) : _large!.Join(written);
    }

    /// <summary>The message's bytes without the large parts, whose places in <paramref name="large"/> count the prefix.</summary>
    internal ReadOnlySpan<byte> Parts(out LargeParts? large)
    {
        large = LargeBytes == 0 ? null : _large;
        return _end == PrefixBytes ? default : _buffer.Bytes.AsSpan(PrefixBytes.._end);
    }

    /// <summary>Notes a large part of the item that is being written.</summary>
    /// <param name="at">Its place behind the beginning of the item's fields.</param>
    /// <param name="bytes">Its bytes.</param>
    internal void Refer(int at, ByteString bytes) => (_large ??= new LargeParts()).Add(at, bytes.Memory);

    private void Reserve(int count) => _buffer.Reserve(_end, count);
}
