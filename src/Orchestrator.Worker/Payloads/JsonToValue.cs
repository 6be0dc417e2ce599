using System.Buffers.Text;
using System.Text.Json;

namespace Orchestrator.Worker.Payloads;

/// <summary>Writes JSON text as the bytes of a <c>google.protobuf.Value</c>.</summary>
internal static class JsonToValue
{
    /// <summary>Writes the value that <paramref name="reader"/> stands on.</summary>
    public static void Write(ref Utf8JsonReader reader, WireBuffer buffer)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                buffer.WriteByte(ValueWire.Null);
                buffer.WriteByte(0);
                break;
            case JsonTokenType.True or JsonTokenType.False:
                buffer.WriteByte(ValueWire.Bool);
                buffer.WriteByte(reader.TokenType == JsonTokenType.True ? (byte)1 : (byte)0);
                break;
            case JsonTokenType.Number:
                WriteNumber(ref reader, buffer);
                break;
            case JsonTokenType.String:
                buffer.WriteByte(ValueWire.String);
                WriteText(ref reader, buffer);
                break;
            case JsonTokenType.StartArray:
                WriteArray(ref reader, buffer);
                break;
            default:
                WriteObject(ref reader, buffer);
                break;
        }
    }

    private static void WriteNumber(ref Utf8JsonReader reader, WireBuffer buffer)
    {
        var literal = reader.ValueSpan;
        var isInteger = literal.IndexOfAny("eE."u8) < 0;
        if (isInteger)
        {
            var exact = Utf8Parser.TryParse(literal, out long integer, out var used) && used == literal.Length &&
                integer is >= -ValueWire.MaxExactInteger and <= ValueWire.MaxExactInteger;
            if (!exact)
            {
                // As a double it would lose digits, so it is sent as text (common.proto, Payload.json).
                buffer.WriteByte(ValueWire.String);
                buffer.WriteBytes(literal);
                return;
            }

            if (integer != 0 || literal[0] != (byte)'-')
            {
                buffer.WriteByte(ValueWire.Number);
                buffer.WriteDouble(integer);
                return;
            }
        }

        var number = reader.GetDouble();
        if (!double.IsFinite(number))
        {
            buffer.WriteByte(ValueWire.String);
            buffer.WriteBytes(literal);
            return;
        }

        buffer.WriteByte(ValueWire.Number);
        buffer.WriteDouble(number);
    }

    private static void WriteText(ref Utf8JsonReader reader, WireBuffer buffer)
    {
        if (!reader.ValueIsEscaped)
        {
            buffer.WriteBytes(reader.ValueSpan);
            return;
        }

        var start = buffer.Length;
        var room = reader.ValueSpan.Length;
        var written = reader.CopyString(buffer.Grow(room));
        buffer.Shrink(room - written);
        buffer.InsertLength(start);
    }

    private static void WriteArray(ref Utf8JsonReader reader, WireBuffer buffer)
    {
        buffer.WriteByte(ValueWire.List);
        var list = buffer.Length;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            buffer.WriteByte(ValueWire.ListValue);
            WriteNested(ref reader, buffer);
        }

        buffer.InsertLength(list);
    }

    private static void WriteObject(ref Utf8JsonReader reader, WireBuffer buffer)
    {
        buffer.WriteByte(ValueWire.Struct);
        var fields = buffer.Length;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            buffer.WriteByte(ValueWire.StructField);
            var entry = buffer.Length;
            buffer.WriteByte(ValueWire.EntryKey);
            WriteText(ref reader, buffer);
            reader.Read();
            buffer.WriteByte(ValueWire.EntryValue);
            WriteNested(ref reader, buffer);
            buffer.InsertLength(entry);
        }

        buffer.InsertLength(fields);
    }

    private static void WriteNested(ref Utf8JsonReader reader, WireBuffer buffer)
    {
        var start = buffer.Length;
        Write(ref reader, buffer);
        buffer.InsertLength(start);
    }
}
