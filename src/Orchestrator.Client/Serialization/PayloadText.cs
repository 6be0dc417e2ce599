using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.V1;

namespace Orchestrator.Client.Serialization;

/// <summary>Creates and reads payloads.</summary>
internal static class PayloadText
{
    // Numbers of a google.protobuf.Value are doubles: a larger integer would silently lose digits.
    private const long LargestExactInteger = 1L << 53;

    private const int LongestExcerpt = 40;

    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A payload of opaque bytes. The bytes are not copied, so they must not change afterwards.</summary>
    public static Payload FromBytes(ReadOnlyMemory<byte> data) => new() { Data = UnsafeByteOperations.UnsafeWrap(data) };

    /// <summary>
    /// A payload of a JSON value, from its text. Numbers that a double cannot hold, such as integers beyond 2^53 and 1e400, travel as text.
    /// </summary>
    /// <exception cref="JsonException">The text is not one JSON value, or a string in it is not Unicode: it holds half of a surrogate
    /// pair.</exception>
    public static Payload FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using var document = JsonDocument.Parse(json);
            return new Payload { Json = ToValue(document.RootElement) };
        }
        catch (ArgumentException exception)
        {
            // The text itself contains half of a surrogate pair, outside of any escape.
            throw NotUnicode("The text", exception);
        }
    }

    /// <summary>A payload of a JSON number.</summary>
    public static Payload FromNumber(double value) => new() { Json = Value.ForNumber(value) };

    /// <summary>A payload of an integer, exact as a JSON number.</summary>
    public static Payload FromNumber(int value) => FromNumber((double)value);

    /// <summary>A payload of a JSON string.</summary>
    public static Payload FromText(string text) => new() { Json = Value.ForString(text) };

    /// <summary>The JSON text of a payload's value.</summary>
    /// <exception cref="ArgumentException">The payload holds bytes.</exception>
    public static string ToJson(Payload payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        if (payload.ContentCase == Payload.ContentOneofCase.Data)
            throw new ArgumentException("The payload holds bytes, not JSON.", nameof(payload));
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
            Write(writer, payload.Json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>The bytes of a payload, or the UTF-8 of its JSON.</summary>
    public static ReadOnlyMemory<byte> ToBytes(Payload? payload) => payload?.ContentCase switch
    {
        Payload.ContentOneofCase.Data => payload.Data.Memory,
        Payload.ContentOneofCase.Json => Encoding.UTF8.GetBytes(ToJson(payload)),
        _ => ReadOnlyMemory<byte>.Empty,
    };

    internal static Payload FromElement(JsonElement element) => new() { Json = ToValue(element) };

    internal static void WriteJson(Payload payload, ArrayBufferWriter<byte> buffer)
    {
        if (payload.ContentCase == Payload.ContentOneofCase.Data)
            throw new JsonException(
                $"The task's output is {payload.Data.Length} raw bytes, not JSON; take it as byte[], or with TaskFunction.Bytes.");
        using var writer = new Utf8JsonWriter(buffer, WriterOptions);
        Write(writer, payload.Json);
    }

    private static Value ToValue(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var fields = new Struct();
                foreach (var property in element.EnumerateObject())
                    fields.Fields[NameOf(property)] = ToValue(property.Value);
                return Value.ForStruct(fields);
            case JsonValueKind.Array:
                var items = new ListValue();
                foreach (var item in element.EnumerateArray())
                    items.Values.Add(ToValue(item));
                return new Value { ListValue = items };
            case JsonValueKind.String:
                return Value.ForString(TextOf(element));
            case JsonValueKind.Number:
                return ToNumber(element);
            case JsonValueKind.True or JsonValueKind.False:
                return Value.ForBool(element.GetBoolean());
            default:
                return Value.ForNull();
        }
    }

    private static Value ToNumber(JsonElement element)
    {
        var text = element.GetRawText();
        var isInteger = text.AsSpan().IndexOfAny('.', 'e', 'E') < 0;
        if (isInteger && !(element.TryGetInt64(out var integer) && Math.Abs((decimal)integer) <= LargestExactInteger))
            return Value.ForString(text);
        var number = double.Parse(text, CultureInfo.InvariantCulture);
        return double.IsFinite(number) ? Value.ForNumber(number) : Value.ForString(text);
    }

    private static string TextOf(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException exception)
        {
            throw NotUnicode(Start(element.GetRawText()), exception);
        }
    }

    private static string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException exception)
        {
            throw NotUnicode(Start(property.ToString()), exception);
        }
    }

    private static string Start(string text) => text.Length <= LongestExcerpt ? text : string.Concat(text.AsSpan(0, LongestExcerpt), "…");

    private static JsonException NotUnicode(string what, Exception cause) =>
        new($"{what} holds half of a surrogate pair, which is no character: \\ud800 to \\udbff and \\udc00 to \\udfff go in pairs, such " +
            "as \\ud83d\\ude00.", cause);

    private static void Write(Utf8JsonWriter writer, Value? value)
    {
        switch (value?.KindCase)
        {
            case Value.KindOneofCase.BoolValue:
                writer.WriteBooleanValue(value.BoolValue);
                break;
            case Value.KindOneofCase.NumberValue when double.IsFinite(value.NumberValue):
                WriteNumber(writer, value.NumberValue);
                break;
            case Value.KindOneofCase.NumberValue:
                writer.WriteStringValue(value.NumberValue.ToString(CultureInfo.InvariantCulture));
                break;
            case Value.KindOneofCase.StringValue:
                writer.WriteStringValue(value.StringValue);
                break;
            case Value.KindOneofCase.ListValue:
                writer.WriteStartArray();
                foreach (var item in value.ListValue.Values)
                    Write(writer, item);
                writer.WriteEndArray();
                break;
            case Value.KindOneofCase.StructValue:
                writer.WriteStartObject();
                foreach (var (name, field) in value.StructValue.Fields)
                {
                    writer.WritePropertyName(name);
                    Write(writer, field);
                }

                writer.WriteEndObject();
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }

    private static void WriteNumber(Utf8JsonWriter writer, double number)
    {
        // An integer is written without an exponent: 1E+16 is valid JSON, but integer readers reject it.
        if (number == Math.Floor(number) && Math.Abs(number) <= LargestExactInteger)
            writer.WriteNumberValue((long)number);
        else
            writer.WriteNumberValue(number);
    }
}
