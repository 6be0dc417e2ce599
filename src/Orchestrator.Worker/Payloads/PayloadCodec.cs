using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Google.Protobuf;

namespace Orchestrator.Worker.Payloads;

/// <summary>
/// Reads and writes the wire bytes of <c>orchestrator.v1.Payload</c>. Integers up to 2^53 cross as JSON numbers; larger ones are sent as
/// decimal strings and are accepted as such, so that no digit is ever rounded silently.
/// </summary>
public static class PayloadCodec
{
    /// <summary>A payload of opaque bytes.</summary>
    public static ByteString EncodeBytes(ReadOnlySpan<byte> data)
    {
        var prefix = 1 + WireBuffer.VarintSize((uint)data.Length);
        var message = GC.AllocateUninitializedArray<byte>(prefix + data.Length);
        message[0] = ValueWire.PayloadData;
        WireBuffer.PutVarint(message.AsSpan(1), (uint)data.Length);
        data.CopyTo(message.AsSpan(prefix));
        return UnsafeByteOperations.UnsafeWrap(message);
    }

    /// <summary>A payload with the JSON form of a value.</summary>
    public static ByteString EncodeJson<T>(T value, JsonTypeInfo<T> type)
    {
        var scratch = JsonScratch.Rent();
        try
        {
            JsonSerializer.Serialize(scratch.Writer, value, type);
            scratch.Writer.Flush();
            return EncodeJsonText(scratch.Written);
        }
        finally
        {
            scratch.Return();
        }
    }

    /// <summary>A payload from JSON text. Throws <see cref="JsonException"/> for invalid text.</summary>
    public static ByteString EncodeJsonText(ReadOnlySpan<byte> utf8Json)
    {
        if (!Utf8.IsValid(utf8Json))
            throw new JsonException("the text is not UTF-8");
        var reader = new Utf8JsonReader(utf8Json, new JsonReaderOptions { MaxDepth = ValueWire.MaxDepth });
        var buffer = WireBuffer.Rent();
        try
        {
            reader.Read();
            buffer.WriteByte(ValueWire.PayloadJson);
            JsonToValue.Write(ref reader, buffer);
            buffer.InsertLength(1);
            // Anything but white space after the value throws here.
            reader.Read();
            return buffer.ToByteString();
        }
        catch (InvalidOperationException exception)
        {
            // Half of a surrogate pair, escaped: JSON's grammar allows it, and no valid text can contain it.
            throw new JsonException(exception.Message, exception);
        }
        finally
        {
            buffer.Return();
        }
    }

    /// <summary>
    /// The bytes of a data payload, without a copy, or the UTF-8 text of a JSON string. Other content throws
    /// <see cref="InvalidInputException"/>.
    /// </summary>
    public static ReadOnlyMemory<byte> DecodeBytes(ByteString message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var content = Parse(message);
        switch (content.Kind)
        {
            case PayloadKind.Empty:
                return default;
            case PayloadKind.Data:
                return content.Bytes;
            default:
                var json = JsonText(content);
                using (var document = JsonDocument.Parse(json))
                {
                    if (document.RootElement.ValueKind == JsonValueKind.String)
                        return System.Text.Encoding.UTF8.GetBytes(document.RootElement.GetString()!);
                    throw new InvalidInputException($"must be bytes (data) or a JSON string, got {InputFaults.Show(document.RootElement)}");
                }
        }
    }

    /// <summary>
    /// The JSON value of a payload. A mismatch throws <see cref="InvalidInputException"/>, naming the field, the expected and the actual
    /// value. A payload without content reads as <c>{}</c> if an object is expected, otherwise as <c>null</c>.
    /// </summary>
    public static T DecodeJson<T>(ByteString message, JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(type);
        var content = Parse(message);
        switch (content.Kind)
        {
            case PayloadKind.Json:
                var scratch = JsonScratch.Rent();
                try
                {
                    ValueToJson.Write(content.Bytes.Span, scratch.Writer);
                    scratch.Writer.Flush();
                    return Deserialize(scratch.Written, type);
                }
                finally
                {
                    scratch.Return();
                }

            case PayloadKind.Empty:
                return Deserialize(type.Kind == JsonTypeInfoKind.Object ? "{}"u8 : "null"u8, type);
            default:
                throw new InvalidInputException(
                    $"must be {InputFaults.Expected(type)} (json), got {content.Bytes.Length} raw bytes (data)");
        }
    }

    /// <summary>The JSON text of a JSON payload.</summary>
    internal static byte[] JsonText(PayloadContent content)
    {
        var scratch = JsonScratch.Rent();
        try
        {
            ValueToJson.Write(content.Bytes.Span, scratch.Writer);
            scratch.Writer.Flush();
            return scratch.Written.ToArray();
        }
        finally
        {
            scratch.Return();
        }
    }

    internal static PayloadContent Parse(ByteString message)
    {
        var memory = message.Memory;
        var reader = new WireReader(memory.Span);
        var content = default(PayloadContent);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            if (tag is ValueWire.PayloadData or ValueWire.PayloadJson)
            {
                var length = reader.ReadBytes().Length;
                content = new PayloadContent(
                    tag == ValueWire.PayloadData ? PayloadKind.Data : PayloadKind.Json,
                    memory.Slice(reader.Position - length, length));
            }
            else
            {
                reader.Skip(tag);
            }
        }

        return content;
    }

    private static T Deserialize<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
    {
        T? value;
        try
        {
            value = JsonSerializer.Deserialize(json, type);
        }
        catch (JsonException e)
        {
            throw InputFaults.Explain(json, type, e);
        }

        // A top-level null is not covered by the serializer's own null checks.
        if (value is null && type.Kind != JsonTypeInfoKind.None)
            throw new InvalidInputException($"must be {InputFaults.Expected(type)}, got null");
        return value!;
    }
}

/// <summary>The content of a payload: for JSON, the bytes of a <c>google.protobuf.Value</c>.</summary>
internal readonly record struct PayloadContent(PayloadKind Kind, ReadOnlyMemory<byte> Bytes);
