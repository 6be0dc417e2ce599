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

/// <summary>Conversions by the types that options know: those of a generated context, or all by reflection.</summary>
internal static class PayloadOptions
{
    /// <summary>Whether values of the type pass as they are.</summary>
    public static bool IsUnconverted<T>() =>
        typeof(T) == typeof(Payload) || typeof(T) == typeof(byte[]) || typeof(T) == typeof(ReadOnlyMemory<byte>);

    /// <param name="json">Not used where values pass as they are.</param>
    public static Func<T, Payload> Encoder<T>(JsonSerializerOptions? json)
    {
        if (typeof(T) == typeof(Payload))
            return static value => (Payload)(object)value!;
        if (typeof(T) == typeof(byte[]))
            return static value => PayloadText.FromBytes((byte[])(object)value!);
        if (typeof(T) == typeof(ReadOnlyMemory<byte>))
            return static value => PayloadText.FromBytes((ReadOnlyMemory<byte>)(object)value!);
        ArgumentNullException.ThrowIfNull(json);
        if (typeof(T) == typeof(object))
            return value => EncodeObject(value, json);
        var type = (JsonTypeInfo<T>)json.GetTypeInfo(typeof(T));
        return value => PayloadJson.Encode(value, type);
    }

    /// <param name="json">Not used where values pass as they are.</param>
    public static Func<Payload?, T> Decoder<T>(JsonSerializerOptions? json)
    {
        if (typeof(T) == typeof(Payload))
            return static payload => (T)(object)(payload ?? new Payload());
        if (typeof(T) == typeof(byte[]))
            return static payload => (T)(object)PayloadText.ToBytes(payload).ToArray();
        if (typeof(T) == typeof(ReadOnlyMemory<byte>))
            return static payload => (T)(object)PayloadText.ToBytes(payload);
        ArgumentNullException.ThrowIfNull(json);
        var type = (JsonTypeInfo<T>)json.GetTypeInfo(typeof(T));
        return payload => PayloadJson.Decode(payload, type);
    }

    // A value by its own type.
    private static Payload EncodeObject(object? value, JsonSerializerOptions json) => value switch
    {
        Payload payload => payload,
        byte[] bytes => PayloadText.FromBytes(bytes),
        ReadOnlyMemory<byte> bytes => PayloadText.FromBytes(bytes),
        null => PayloadText.FromJson("null"),
        _ => PayloadText.FromElement(JsonSerializer.SerializeToElement(value, json.GetTypeInfo(value.GetType()))),
    };
}

/// <summary>The same conversions by reflection.</summary>
[RequiresUnreferencedCode(PayloadJson.NeedsReflection)]
[RequiresDynamicCode(PayloadJson.NeedsReflection)]
internal static class PayloadReflection
{
    /// <summary>The default options of the worker SDK's handlers.</summary>
    public static JsonSerializerOptions Usual { get; } = CreateUsual();

    public static Func<T, Payload> Encoder<T>(JsonSerializerOptions? json) => PayloadOptions.Encoder<T>(json ?? Usual);

    public static Func<Payload?, T> Decoder<T>(JsonSerializerOptions? json) => PayloadOptions.Decoder<T>(json ?? Usual);

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
