namespace Orchestrator.Contracts.Passthrough;

/// <summary>
/// Whether bytes are an <c>orchestrator.v1.Payload</c>. What a worker puts out passes through to a client unread, together with the results of others: bytes that
/// the client's generated code refuses would take those with them.
/// </summary>
public static class PayloadFormat
{
    // Generated code gives up at a hundred messages inside each other, some of which are around the payload.
    private const int MaxDepth = 90;

    private const uint Data = (1 << 3) | 2;
    private const uint Json = (2 << 3) | 2;
    private const uint Text = (3 << 3) | 2;
    private const uint Struct = (5 << 3) | 2;
    private const uint List = (6 << 3) | 2;
    private const uint Item = (1 << 3) | 2;
    private const uint EntryValue = (2 << 3) | 2;

    /// <summary>Passes over a payload's bytes.</summary>
    /// <exception cref="InvalidDataException">They are no payload, or one that is nested deeper than others read.</exception>
    public static void Check(ReadOnlySpan<byte> payload)
    {
        var reader = new FieldReader(payload);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            if (tag == Data)
                reader.ReadBytes();
            else if (tag == Json)
                CheckValue(reader.ReadBytes(), 1);
            else
                reader.Skip(tag);
        }
    }

    private static void CheckValue(ReadOnlySpan<byte> value, int depth)
    {
        if (depth > MaxDepth)
            throw new InvalidDataException($"its JSON is nested too deep to be read by others: {(MaxDepth - 1) / 3} objects or {(MaxDepth - 1) / 2} arrays inside each other are possible");
        var reader = new FieldReader(value);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            if (tag == Text)
                reader.ReadUtf8();
            else if (tag == Struct)
                CheckItems(reader.ReadBytes(), depth + 1, isStruct: true);
            else if (tag == List)
                CheckItems(reader.ReadBytes(), depth + 1, isStruct: false);
            else
                reader.Skip(tag);
        }
    }

    /// <summary>The entries of a struct, or the values of a list: either is field 1.</summary>
    private static void CheckItems(ReadOnlySpan<byte> items, int depth, bool isStruct)
    {
        var reader = new FieldReader(items);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            if (tag != Item)
                reader.Skip(tag);
            else if (isStruct)
                CheckEntry(reader.ReadBytes(), depth + 1);
            else
                CheckValue(reader.ReadBytes(), depth + 1);
        }
    }

    private static void CheckEntry(ReadOnlySpan<byte> entry, int depth)
    {
        var reader = new FieldReader(entry);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            if (tag == Item)
                reader.ReadUtf8();
            else if (tag == EntryValue)
                CheckValue(reader.ReadBytes(), depth + 1);
            else
                reader.Skip(tag);
        }
    }
}
