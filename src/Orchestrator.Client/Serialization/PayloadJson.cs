using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.V1;

namespace Orchestrator.Client.Serialization;

/// <summary>Converts typed values to payloads and back.</summary>
internal static class PayloadJson
{
    public const string NeedsReflection =
        "JSON by reflection; in trimmed code, name the types: TaskFunction.Json with JsonTypeInfo, or TaskFunction.Bytes.";

    private const int KeepAtMost = 64 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? s_buffer;

    public static Payload Encode<T>(T value, JsonTypeInfo<T> type) =>
        PayloadText.FromElement(JsonSerializer.SerializeToElement(value, type));

    public static T Decode<T>(Payload? payload, JsonTypeInfo<T> type)
    {
        // A nested decode inside a converter finds no buffer here and allocates its own.
        var buffer = s_buffer ?? new ArrayBufferWriter<byte>(256);
        s_buffer = null;
        try
        {
            PayloadText.WriteJson(payload ?? new Payload(), buffer);
            return JsonSerializer.Deserialize(buffer.WrittenSpan, type)!;
        }
        finally
        {
            buffer.ResetWrittenCount();
            if (buffer.Capacity <= KeepAtMost)
                s_buffer = buffer;
        }
    }

    /// <summary>The field that an exception is about, for a message; empty if it is about the whole value.</summary>
    public static string Field(JsonException exception) =>
        exception.Path is null or "" or "$" ? "" : $", because of its field {exception.Path.TrimStart('$', '.')}";
}

/// <summary>The same conversions by reflection.</summary>
[RequiresUnreferencedCode(PayloadJson.NeedsReflection)]
[RequiresDynamicCode(PayloadJson.NeedsReflection)]
internal static class PayloadReflection
{
    /// <summary>The default options of the worker SDK's handlers.</summary>
    private static readonly JsonSerializerOptions Usual = CreateUsual();

    public static Func<T, Payload> Encoder<T>(JsonSerializerOptions? json)
    {
        if (typeof(T) == typeof(Payload))
            return static value => (Payload)(object)value!;
        if (typeof(T) == typeof(byte[]))
            return static value => PayloadText.FromBytes((byte[])(object)value!);
        if (typeof(T) == typeof(ReadOnlyMemory<byte>))
            return static value => PayloadText.FromBytes((ReadOnlyMemory<byte>)(object)value!);
        if (typeof(T) == typeof(object))
            return value => EncodeObject(value, json);
        var type = (JsonTypeInfo<T>)(json ?? Usual).GetTypeInfo(typeof(T));
        return value => PayloadJson.Encode(value, type);
    }

    public static Func<Payload?, T> Decoder<T>(JsonSerializerOptions? json)
    {
        if (typeof(T) == typeof(Payload))
            return static payload => (T)(object)(payload ?? new Payload());
        if (typeof(T) == typeof(byte[]))
            return static payload => (T)(object)PayloadText.ToBytes(payload).ToArray();
        if (typeof(T) == typeof(ReadOnlyMemory<byte>))
            return static payload => (T)(object)PayloadText.ToBytes(payload);
        var type = (JsonTypeInfo<T>)(json ?? Usual).GetTypeInfo(typeof(T));
        return payload => PayloadJson.Decode(payload, type);
    }

    public static Payload EncodeObject(object? value, JsonSerializerOptions? json = null) => value switch
    {
        Payload payload => payload,
        byte[] bytes => PayloadText.FromBytes(bytes),
        ReadOnlyMemory<byte> bytes => PayloadText.FromBytes(bytes),
        null => PayloadText.FromJson("null"),
        _ => PayloadText.FromElement(JsonSerializer.SerializeToElement(value, value.GetType(), json ?? Usual)),
    };

    private static JsonSerializerOptions CreateUsual()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.AllowNamedFloatingPointLiterals,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        };
        options.Converters.Add(new JsonStringEnumConverter());
        options.MakeReadOnly();
        return options;
    }
}
