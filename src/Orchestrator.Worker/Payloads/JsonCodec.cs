using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Google.Protobuf;

namespace Orchestrator.Worker.Payloads;

/// <summary>
/// Converts one type. Its metadata is resolved when the first task needs it: resolving it for every handler at the start would cost more
/// than the rest of the start. <c>byte[]</c> stands for opaque bytes.
/// </summary>
internal sealed class JsonCodec<T>
{
    private readonly JsonSerializerOptions? _options;
    private JsonTypeInfo<T>? _type;

    public JsonCodec(JsonSerializerOptions options) => _options = options;

    public JsonCodec(JsonTypeInfo<T> type) => _type = type ?? throw new ArgumentNullException(nameof(type));

    private JsonTypeInfo<T> Type => _type ??= (JsonTypeInfo<T>)_options!.GetTypeInfo(typeof(T));

    public T Decode(ByteString message)
    {
        if (typeof(T) == typeof(byte[]))
            return (T)(object)PayloadCodec.DecodeBytes(message).ToArray();
        return PayloadCodec.DecodeJson(message, Type);
    }

    public ByteString Encode(T value)
    {
        if (typeof(T) == typeof(byte[]) && value is byte[] bytes)
            return PayloadCodec.EncodeBytes(bytes);
        return PayloadCodec.EncodeJson(value, Type);
    }
}
