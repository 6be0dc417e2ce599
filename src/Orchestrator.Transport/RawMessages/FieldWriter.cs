using System.Numerics;
using System.Text;
using Google.Protobuf;

namespace Orchestrator.Transport.RawMessages;

/// <summary>Writes protobuf's wire format to a span that is large enough. As in generated code, default values are omitted.</summary>
/// <param name="target">The span.</param>
/// <param name="message">Takes large payloads without a copy; without it they are written, too.</param>
internal ref struct FieldWriter(Span<byte> target, MessageBuffer? message = null)
{
    /// <summary>An upper bound for the tag, and the number or the length, of a field.</summary>
    public const int SizeOfNumber = 11;

    private readonly Span<byte> _target = target;

    /// <summary>How much has been written.</summary>
    public int Position { get; private set; }

    /// <summary>The most bytes that a text can take.</summary>
    public static int SizeOf(string text) => SizeOfNumber + (3 * text.Length);

    /// <summary>The bytes that a payload takes in the span, without its tag and length.</summary>
    public static int SizeOf(ByteString payload) => payload.Length >= LargeParts.From ? 0 : payload.Length;

    /// <summary>How many bytes a number takes.</summary>
    public static int VarintSize(ulong value) => (70 - BitOperations.LeadingZeroCount(value | 1)) / 7;

    /// <summary>An unsigned number, or a signed one of 64 bits.</summary>
    public void Write(int field, ulong value)
    {
        if (value == 0)
            return;
        _target[Position++] = (byte)(field << 3);
        WriteVarint(value);
    }

    /// <summary>A signed number of 32 bits, or a truth value.</summary>
    public void Write(int field, int value) => Write(field, (ulong)(long)value);

    /// <summary>A text.</summary>
    public void Write(int field, string text)
    {
        if (text.Length == 0)
            return;
        _target[Position++] = FieldReader.LengthTag(field);
        // One byte for its length, which is nearly always enough.
        var start = Position + 1;
        var length = Encoding.UTF8.GetBytes(text, _target[start..]);
        var size = VarintSize((uint)length);
        if (size > 1)
            _target.Slice(start, length).CopyTo(_target[(Position + size)..]);
        WriteVarint((uint)length);
        Position += length;
    }

    /// <summary>Bytes.</summary>
    public void Write(int field, ByteString bytes)
    {
        if (bytes.Length == 0)
            return;
        _target[Position++] = FieldReader.LengthTag(field);
        WriteVarint((uint)bytes.Length);
        if (bytes.Length >= LargeParts.From && message is not null)
        {
            message.Refer(Position, bytes);
            return;
        }

        bytes.Span.CopyTo(_target[Position..]);
        Position += bytes.Length;
    }

    /// <summary>A sub-message, where there is one.</summary>
    public void Write(int field, IMessage? part)
    {
        if (part is null)
            return;
        _target[Position++] = FieldReader.LengthTag(field);
        var size = part.CalculateSize();
        WriteVarint((uint)size);
        WriteFields(part, size);
    }

    internal void WriteFields(IMessage part, int size)
    {
        part.WriteTo(_target.Slice(Position, size));
        Position += size;
    }

    internal void WriteVarint(ulong value)
    {
        while (value >= 0x80)
        {
            _target[Position++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _target[Position++] = (byte)value;
    }

    /// <summary>Begins a sub-message of less than 128 bytes; <see cref="EndShort"/> writes its length.</summary>
    internal int BeginShort(int field)
    {
        _target[Position++] = FieldReader.LengthTag(field);
        return Position++;
    }

    internal readonly void EndShort(int begin) => _target[begin] = (byte)(Position - begin - 1);
}
