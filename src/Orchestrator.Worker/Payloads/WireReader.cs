using System.Buffers.Binary;

namespace Orchestrator.Worker.Payloads;

/// <summary>
/// Reads protobuf's wire format from a span. Payloads are decoded by this code, since building message objects for every number of a JSON
/// input would cost more than most handlers.
/// </summary>
internal ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    public const int Varint = 0;
    public const int Fixed64 = 1;
    public const int Length = 2;
    public const int Fixed32 = 5;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Position { get; private set; }

    public readonly bool AtEnd => Position == _bytes.Length;

    public uint ReadTag()
    {
        var tag = ReadVarint();
        if (tag is < 8 or > uint.MaxValue)
            throw new MalformedPayloadException("it contains an invalid field number");
        return (uint)tag;
    }

    public ulong ReadVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (Position >= _bytes.Length)
                throw Truncated();
            var b = _bytes[Position++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return value;
        }

        throw new MalformedPayloadException("it contains a number of more than ten bytes");
    }

    public double ReadDouble()
    {
        var value = BinaryPrimitives.ReadDoubleLittleEndian(Take(8));
        return value;
    }

    public ReadOnlySpan<byte> ReadBytes()
    {
        var length = ReadVarint();
        if (length > (ulong)(_bytes.Length - Position))
            throw Truncated();
        return Take((int)length);
    }

    public void Skip(uint tag)
    {
        switch (tag & 7)
        {
            case Varint:
                ReadVarint();
                break;
            case Fixed64:
                Take(8);
                break;
            case Length:
                ReadBytes();
                break;
            case Fixed32:
                Take(4);
                break;
            default:
                throw new MalformedPayloadException("it contains an unknown wire type");
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - Position)
            throw Truncated();
        var slice = _bytes.Slice(Position, count);
        Position += count;
        return slice;
    }

    private static MalformedPayloadException Truncated() => new("it ends in the middle of a field");
}

/// <summary>The bytes are no <c>orchestrator.v1.Payload</c>, or its JSON value is invalid.</summary>
internal sealed class MalformedPayloadException(string message) : Exception("the payload is malformed: " + message);
