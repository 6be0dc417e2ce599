using System.Text;
using System.Text.Unicode;
using Google.Protobuf;

namespace Orchestrator.Transport.RawMessages;

/// <summary>
/// Reads protobuf's wire format from a span, for the few messages that occur hundreds of thousands of times a second: creating an object
/// for each, and one for each of its parts, costs several times what reading costs. Accepts and refuses the same bytes as generated code.
/// </summary>
internal ref struct FieldReader(ReceivedBytes bytes)
{
    private const int VarintType = 0;
    private const int Fixed64Type = 1;
    private const int LengthType = 2;
    private const int GroupType = 3;
    private const int GroupEndType = 4;
    private const int Fixed32Type = 5;
    private const int MaxGroupDepth = 100;

    // As in generated code, invalid UTF-8 is an error and not a replacement character.
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReceivedBytes _received = bytes;

    /// <summary>How much has been read.</summary>
    public int Position { get; private set; }

    /// <summary>Whether everything has been read.</summary>
    public readonly bool AtEnd => Position == _received.Span.Length;

    /// <summary>The tag of a field of this number and length-delimited type.</summary>
    public static byte LengthTag(int field) => (byte)((field << 3) | LengthType);

    /// <summary>The next field's number and wire type.</summary>
    /// <exception cref="InvalidDataException">The bytes are no message; applies to all methods here.</exception>
    public uint ReadTag()
    {
        var tag = (uint)ReadVarint();
        return tag >= 1 << 3 ? tag : throw Malformed("a field has no number");
    }

    /// <summary>A number of any varint type; those of 32 bits are its lower half.</summary>
    public ulong ReadVarint()
    {
        if (Position < _received.Span.Length && _received.Span[Position] is var first and < 0x80)
        {
            Position++;
            return first;
        }

        return ReadLongVarint();
    }

    /// <summary>The content of a length-delimited field.</summary>
    public ReadOnlySpan<byte> ReadBytes()
    {
        var length = (int)ReadVarint();
        if (length < 0)
            throw Malformed("a length is negative");
        return Take(length);
    }

    /// <summary>As <see cref="ReadBytes"/>.</summary>
    public ReceivedBytes ReadReceived() => _received.Part(ReadBytes());

    /// <summary>A length-delimited field for as long as it is wanted.</summary>
    public ByteString ReadByteString() => ReadReceived().ToByteString();

    /// <summary>The bytes of a text, which are UTF-8.</summary>
    public ReadOnlySpan<byte> ReadUtf8() =>
        ReadBytes() is var bytes && Utf8.IsValid(bytes) ? bytes : throw Malformed("a text is not UTF-8");

    /// <summary>The text of a field.</summary>
    public string ReadString() => Decode(ReadBytes());

    /// <summary>A sub-message; a repeated occurrence is merged into the earlier one.</summary>
    public T ReadMessage<T>(T? known)
        where T : class, IMessage<T>, new() => Merge(known, ReadBytes());

    /// <summary>Skips the field of this tag.</summary>
    public void Skip(uint tag) => Skip(tag, 0);

    /// <summary>The text of these bytes.</summary>
    public static string Decode(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return StrictUtf8.GetString(utf8);
        }
        catch (ArgumentException)
        {
            throw Malformed("a text is not UTF-8");
        }
    }

    internal static T Merge<T>(T? known, ReadOnlySpan<byte> bytes)
        where T : class, IMessage<T>, new()
    {
        known ??= new T();
        try
        {
            known.MergeFrom(bytes);
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new InvalidDataException($"a message of {bytes.Length} bytes cannot be read: {exception.Message}", exception);
        }

        return known;
    }

    private ulong ReadLongVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (Position >= _received.Span.Length)
                throw Truncated();
            var b = _received.Span[Position++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return value;
        }

        throw Malformed("a number has more than ten bytes");
    }

    private void Skip(uint tag, int depth)
    {
        switch (tag & 7)
        {
            case VarintType:
                ReadVarint();
                break;
            case Fixed64Type:
                Take(8);
                break;
            case LengthType:
                ReadBytes();
                break;
            case GroupType when depth < MaxGroupDepth:
                for (var inner = ReadTag(); inner != tag - GroupType + GroupEndType; inner = ReadTag())
                    Skip(inner, depth + 1);
                break;
            case Fixed32Type:
                Take(4);
                break;
            default:
                throw Malformed("a field has no known wire type");
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _received.Span.Length - Position)
            throw Truncated();
        var slice = _received.Span.Slice(Position, count);
        Position += count;
        return slice;
    }

    private static InvalidDataException Truncated() => Malformed("it ends in the middle of a field");

    private static InvalidDataException Malformed(string reason) => new($"a message cannot be read: {reason}");
}
