using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace Orchestrator.Worker.Payloads;

/// <summary>Writes the bytes of a <c>google.protobuf.Value</c> as JSON text.</summary>
internal static class ValueToJson
{
    public static void Write(ReadOnlySpan<byte> value, Utf8JsonWriter writer) => WriteValue(value, writer, 0);

    private static void WriteValue(ReadOnlySpan<byte> bytes, Utf8JsonWriter writer, int depth)
    {
        if (depth > ValueWire.MaxDepth)
            throw new MalformedPayloadException($"its JSON is nested more than {ValueWire.MaxDepth} levels deep");

        // A oneof may occur several times on the wire, and the last one counts.
        var reader = new WireReader(bytes);
        uint kind = ValueWire.Null;
        var content = ReadOnlySpan<byte>.Empty;
        double number = 0;
        var flag = false;
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case ValueWire.Null:
                    reader.ReadVarint();
                    break;
                case ValueWire.Bool:
                    flag = reader.ReadVarint() != 0;
                    break;
                case ValueWire.Number:
                    number = reader.ReadDouble();
                    break;
                case ValueWire.String or ValueWire.Struct or ValueWire.List:
                    content = reader.ReadBytes();
                    break;
                default:
                    reader.Skip(tag);
                    continue;
            }

            kind = tag;
        }

        switch (kind)
        {
            case ValueWire.Null:
                writer.WriteNullValue();
                break;
            case ValueWire.Bool:
                writer.WriteBooleanValue(flag);
                break;
            case ValueWire.Number:
                WriteNumber(number, writer);
                break;
            case ValueWire.String:
                writer.WriteStringValue(Utf8Text(content));
                break;
            case ValueWire.Struct:
                WriteStruct(content, writer, depth);
                break;
            default:
                WriteList(content, writer, depth);
                break;
        }
    }

    private static void WriteNumber(double number, Utf8JsonWriter writer)
    {
        // An integer must look like one, or no integer field would accept it.
        if (Math.Abs(number) <= ValueWire.MaxExactInteger && Math.Truncate(number) == number)
            writer.WriteNumberValue((long)number);
        else if (!double.IsFinite(number))
            writer.WriteStringValue(double.IsNaN(number) ? "NaN"u8 : number > 0 ? "Infinity"u8 : "-Infinity"u8);
        else if (Math.Abs(number) > ValueWire.MaxExactInteger)
            WriteInexact(number, writer);
        else
            writer.WriteNumberValue(number);
    }

    /// <summary>
    /// Beyond 2^53 the sender's digits may already be lost. With an exponent a floating-point field reads the same number, and
    /// an integer field refuses it instead of taking a wrong one.
    /// </summary>
    private static void WriteInexact(double number, Utf8JsonWriter writer)
    {
        Span<byte> text = stackalloc byte[32];
        number.TryFormat(text, out var length, "E16", CultureInfo.InvariantCulture);
        writer.WriteRawValue(text[..length], skipInputValidation: true);
    }

    private static void WriteStruct(ReadOnlySpan<byte> bytes, Utf8JsonWriter writer, int depth)
    {
        writer.WriteStartObject();
        var fields = new WireReader(bytes);
        while (!fields.AtEnd)
        {
            var tag = fields.ReadTag();
            if (tag != ValueWire.StructField)
            {
                fields.Skip(tag);
                continue;
            }

            var entry = new WireReader(fields.ReadBytes());
            var key = ReadOnlySpan<byte>.Empty;
            var value = ReadOnlySpan<byte>.Empty;
            while (!entry.AtEnd)
            {
                var part = entry.ReadTag();
                if (part == ValueWire.EntryKey)
                    key = entry.ReadBytes();
                else if (part == ValueWire.EntryValue)
                    value = entry.ReadBytes();
                else
                    entry.Skip(part);
            }

            writer.WritePropertyName(Utf8Text(key));
            WriteValue(value, writer, depth + 1);
        }

        writer.WriteEndObject();
    }

    private static void WriteList(ReadOnlySpan<byte> bytes, Utf8JsonWriter writer, int depth)
    {
        writer.WriteStartArray();
        var items = new WireReader(bytes);
        while (!items.AtEnd)
        {
            var tag = items.ReadTag();
            if (tag == ValueWire.ListValue)
                WriteValue(items.ReadBytes(), writer, depth + 1);
            else
                items.Skip(tag);
        }

        writer.WriteEndArray();
    }

    private static ReadOnlySpan<byte> Utf8Text(ReadOnlySpan<byte> bytes) =>
        Utf8.IsValid(bytes) ? bytes : throw new MalformedPayloadException("a JSON string in it is not valid UTF-8");
}
