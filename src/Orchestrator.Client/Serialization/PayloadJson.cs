using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Client.Serialization;

/// <summary>Converts typed values to payloads and back.</summary>
internal static class PayloadJson
{
    private const int KeepAtMost = 64 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? s_buffer;

    public static Payload Encode<T>(T value, JsonTypeInfo<T> type) => Payloads.FromElement(JsonSerializer.SerializeToElement(value, type));

    public static T Decode<T>(Payload? payload, JsonTypeInfo<T> type)
    {
        // A nested decode inside a converter finds no buffer here and allocates its own.
        var buffer = s_buffer ?? new ArrayBufferWriter<byte>(256);
        s_buffer = null;
        try
        {
            Payloads.WriteJson(payload ?? new Payload(), buffer);
            return JsonSerializer.Deserialize(buffer.WrittenSpan, type)!;
        }
        finally
        {
            buffer.ResetWrittenCount();
            if (buffer.Capacity <= KeepAtMost)
                s_buffer = buffer;
        }
    }
}

/// <summary>The same conversions by reflection.</summary>
[RequiresUnreferencedCode(TaskFunction.NeedsReflection)]
[RequiresDynamicCode(TaskFunction.NeedsReflection)]
internal static class PayloadReflection
{
    /// <summary>The default options of the worker SDK's handlers.</summary>
    private static readonly JsonSerializerOptions Usual = CreateUsual();

    public static Func<T, Payload> Encoder<T>(JsonSerializerOptions? json)
    {
        if (typeof(T) == typeof(Payload))
            return static value => (Payload)(object)value!;
        if (typeof(T) == typeof(byte[]))
            return static value => Payloads.FromBytes((byte[])(object)value!);
        if (typeof(T) == typeof(ReadOnlyMemory<byte>))
            return static value => Payloads.FromBytes((ReadOnlyMemory<byte>)(object)value!);
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
            return static payload => (T)(object)Payloads.ToBytes(payload).ToArray();
        if (typeof(T) == typeof(ReadOnlyMemory<byte>))
            return static payload => (T)(object)Payloads.ToBytes(payload);
        var type = (JsonTypeInfo<T>)(json ?? Usual).GetTypeInfo(typeof(T));
        return payload => PayloadJson.Decode(payload, type);
    }

    public static Payload EncodeObject(object? value, JsonSerializerOptions? json = null) => value switch
    {
        Payload payload => payload,
        byte[] bytes => Payloads.FromBytes(bytes),
        ReadOnlyMemory<byte> bytes => Payloads.FromBytes(bytes),
        null => Payloads.FromJson("null"),
        _ => Payloads.FromElement(JsonSerializer.SerializeToElement(value, value.GetType(), json ?? Usual)),
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
