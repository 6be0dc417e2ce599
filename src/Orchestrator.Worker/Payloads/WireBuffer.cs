using System.Buffers.Binary;
using Google.Protobuf;

namespace Orchestrator.Worker.Payloads;

/// <summary>
/// A growing buffer for protobuf's wire format. The length of a nested message precedes it but is known only afterwards: it is inserted by
/// moving the message up, which is cheaper here than computing every size first.
/// </summary>
internal sealed class WireBuffer
{
    private const int KeepAtMost = 64 * 1024;

    [ThreadStatic]
    private static WireBuffer? s_spare;

    private byte[] _bytes = new byte[256];

    public int Length { get; private set; }

    /// <summary>Takes this thread's spare buffer; a nested user gets a new one.</summary>
    public static WireBuffer Rent()
    {
        var buffer = s_spare ?? new WireBuffer();
        s_spare = null;
        buffer.Length = 0;
        return buffer;
    }

    public void Return()
    {
        if (_bytes.Length <= KeepAtMost)
            s_spare = this;
    }

    public ByteString ToByteString() => ByteString.CopyFrom(_bytes.AsSpan(0, Length));

    public void WriteByte(byte value) => Grow(1)[0] = value;

    public void WriteDouble(double value) => BinaryPrimitives.WriteDoubleLittleEndian(Grow(8), value);

    public void WriteVarint(uint value)
    {
        while (value >= 0x80)
        {
            WriteByte((byte)(value | 0x80));
            value >>= 7;
        }

        WriteByte((byte)value);
    }

    public void WriteBytes(ReadOnlySpan<byte> value)
    {
        WriteVarint((uint)value.Length);
        value.CopyTo(Grow(value.Length));
    }

    /// <summary>Space of at most <paramref name="count"/> bytes; <see cref="Shrink"/> returns the unused part.</summary>
    public Span<byte> Grow(int count)
    {
        if (count > _bytes.Length - Length)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + count));
        var span = _bytes.AsSpan(Length, count);
        Length += count;
        return span;
    }

    public void Shrink(int count) => Length -= count;

    /// <summary>Puts the length of everything written since <paramref name="start"/> in front of it.</summary>
    public void InsertLength(int start)
    {
        var count = Length - start;
        var size = VarintSize((uint)count);
        Grow(size);
        _bytes.AsSpan(start, count).CopyTo(_bytes.AsSpan(start + size));
        PutVarint(_bytes.AsSpan(start), (uint)count);
    }

    public static int VarintSize(uint value) => (38 - System.Numerics.BitOperations.LeadingZeroCount(value | 1)) / 7;

    public static void PutVarint(Span<byte> target, uint value)
    {
        var i = 0;
        while (value >= 0x80)
        {
            target[i++] = (byte)(value | 0x80);
            value >>= 7;
        }

        target[i] = (byte)value;
    }
}
