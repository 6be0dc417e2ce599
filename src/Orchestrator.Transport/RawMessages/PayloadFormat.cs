using Google.Protobuf.WellKnownTypes;
using Orchestrator.V1;

namespace Orchestrator.Transport.RawMessages;

/// <summary>
/// Checks whether bytes are an <c>orchestrator.v1.Payload</c>. A worker's output passes through to a client unread, together with the
/// results of others: bytes that the client's generated code refuses would invalidate the whole message.
/// </summary>
internal static class PayloadFormat
{
    // Generated code refuses more than a hundred nested messages, in most languages. Up to fourteen of them surround a payload: the deepest
    // message of the contract or of the journal that holds one, and an object that it may be put into.
    private const int MaxDepth = 86;

    /// <summary>How many JSON objects a payload may nest; each takes three messages.</summary>
    public const int MaxObjects = (MaxDepth - 1) / 3;

    /// <summary>How many JSON arrays a payload may nest; each takes two messages.</summary>
    public const int MaxArrays = (MaxDepth - 1) / 2;

    /// <summary>A payload of at most this many bytes cannot be nested too deep, since each nested message takes at least two.</summary>
    public const int ShallowBytes = 2 * MaxDepth;

    private const uint Data = (1 << 3) | 2;
    private const uint Json = (2 << 3) | 2;
    private const uint Text = (3 << 3) | 2;
    private const uint Struct = (5 << 3) | 2;
    private const uint List = (6 << 3) | 2;
    private const uint Item = (1 << 3) | 2;
    private const uint EntryValue = (2 << 3) | 2;

    /// <summary>Validates a payload's bytes.</summary>
    /// <exception cref="InvalidDataException">They are no payload, or one that is nested deeper than clients can read.</exception>
    public static void Check(ReadOnlySpan<byte> payload)
    {
        if (!FitsDepth(payload))
            throw new InvalidDataException(TooDeep);
    }

    /// <summary>The error text for a payload whose JSON is nested too deep, for the end of a sentence that names it.</summary>
    public static string TooDeep { get; } =
        $"its JSON is nested too deep to be read by others: {MaxObjects} objects or {MaxArrays} arrays inside each other are possible";

    /// <summary>Whether a payload's JSON is nested too deep. False for bytes that are no payload, which their reader refuses.</summary>
    public static bool IsTooDeep(ReadOnlySpan<byte> payload)
    {
        if (payload.Length <= ShallowBytes)
            return false;
        try
        {
            return !FitsDepth(payload);
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>As above, for a parsed payload.</summary>
    /// <param name="payload">The payload.</param>
    /// <param name="bytes">Its size.</param>
    public static bool IsTooDeep(Payload payload, long bytes)
    {
        ArgumentNullException.ThrowIfNull(payload);
        return bytes > ShallowBytes && payload.Json is { } json && IsTooDeep(json, 1);
    }

    private static bool IsTooDeep(Value value, int depth)
    {
        if (depth > MaxDepth)
            return true;
        switch (value.KindCase)
        {
            case Value.KindOneofCase.StructValue:
                foreach (var field in value.StructValue.Fields.Values)
                {
                    if (IsTooDeep(field, depth + 3))
                        return true;
                }

                return false;
            case Value.KindOneofCase.ListValue:
                foreach (var item in value.ListValue.Values)
                {
                    if (IsTooDeep(item, depth + 2))
                        return true;
                }

                return false;
            default:
                return false;
        }
    }

    private static bool FitsDepth(ReadOnlySpan<byte> payload)
    {
        var reader = new FieldReader(payload);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            if (tag == Data)
                reader.ReadBytes();
            else if (tag != Json)
                reader.Skip(tag);
            else if (!ValueFits(reader.ReadBytes(), 1))
                return false;
        }

        return true;
    }

    private static bool ValueFits(ReadOnlySpan<byte> value, int depth)
    {
        if (depth > MaxDepth)
            return false;
        var reader = new FieldReader(value);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            if (tag == Text)
                reader.ReadUtf8();
            else if (tag is not (Struct or List))
                reader.Skip(tag);
            else if (!ItemsFit(reader.ReadBytes(), depth + 1, isStruct: tag == Struct))
                return false;
        }

        return true;
    }

    /// <summary>The entries of a struct, or the values of a list: either is field 1.</summary>
    private static bool ItemsFit(ReadOnlySpan<byte> items, int depth, bool isStruct)
    {
        var reader = new FieldReader(items);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            if (tag != Item)
                reader.Skip(tag);
            else if (!(isStruct ? EntryFits(reader.ReadBytes(), depth + 1) : ValueFits(reader.ReadBytes(), depth + 1)))
                return false;
        }

        return true;
    }

    private static bool EntryFits(ReadOnlySpan<byte> entry, int depth)
    {
        var reader = new FieldReader(entry);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            if (tag == Item)
                reader.ReadUtf8();
            else if (tag != EntryValue)
                reader.Skip(tag);
            else if (!ValueFits(reader.ReadBytes(), depth + 1))
                return false;
        }

        return true;
    }
}
