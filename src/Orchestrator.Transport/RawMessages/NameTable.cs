using System.Buffers.Binary;

namespace Orchestrator.Transport.RawMessages;

/// <summary>
/// Frequent texts, such as handlers' names, looked up by their UTF-8 bytes: so that a name costs a comparison and no string. Holds few, and
/// evicts one for another. Thread-safe.
/// </summary>
internal sealed class NameTable
{
    private const int Size = 512;
    private const int MaxLength = 128;

    private readonly Entry?[] _entries = new Entry?[Size];

    /// <summary>The text of these bytes.</summary>
    /// <exception cref="InvalidDataException">They are not UTF-8.</exception>
    public string Get(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty)
            return "";
        if (utf8.Length > MaxLength)
            return FieldReader.Decode(utf8);
        ref var place = ref _entries[PlaceOf(utf8)];
        if (place is { } known && utf8.SequenceEqual(known.Utf8))
            return known.Text;
        var text = FieldReader.Decode(utf8);
        place = new Entry(utf8.ToArray(), text);
        return text;
    }

    // Uses both ends, which distinguish typical names: a common prefix, a number at the end.
    private static int PlaceOf(ReadOnlySpan<byte> utf8)
    {
        var hash = utf8.Length >= sizeof(uint)
            ? BinaryPrimitives.ReadUInt32LittleEndian(utf8) ^ (BinaryPrimitives.ReadUInt32LittleEndian(utf8[^sizeof(uint)..]) * 0x85EBCA6Bu)
            : utf8[0] | ((uint)utf8[^1] << 8);
        return (int)(((hash + (uint)utf8.Length) * 0x9E3779B1u) >> 23);
    }

    private sealed record Entry(byte[] Utf8, string Text);
}
