using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Google.Protobuf;
using Orchestrator.Client.Serialization;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Worker.Payloads;

/// <summary>
/// Converts values of one type, as the bytes of the wire for handlers, and as messages for those who call them. Everything is JSON, except
/// <c>byte[]</c> and <c>ReadOnlyMemory&lt;byte&gt;</c>, which are opaque bytes, <see cref="TaskPayload"/>, which is not converted, and
/// <see cref="Unit"/>, which is nothing. The type's metadata is resolved when the first task needs it: resolving it for every handler at
/// the start would cost more than the rest of the start.
/// </summary>
internal sealed class PayloadConverter<T>(JsonSerializerOptions options)
{
    private static readonly ByteString Null = PayloadCodec.EncodeJsonText("null"u8);

    private JsonTypeInfo<T>? _type;

    private JsonTypeInfo<T> Type => _type ??= (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));

    public T Decode(ByteString message)
    {
        if (typeof(T) == typeof(byte[]))
            return (T)(object)PayloadCodec.DecodeBytes(message).ToArray();
        if (typeof(T) == typeof(ReadOnlyMemory<byte>))
            return As(PayloadCodec.DecodeBytes(message));
        if (typeof(T) == typeof(TaskPayload))
            return As(new TaskPayload(message));
        return typeof(T) == typeof(Unit) ? default! : PayloadCodec.DecodeJson(message, Type);
    }

    public ByteString Encode(T value)
    {
        if (typeof(T) == typeof(byte[]) && value is byte[] bytes)
            return PayloadCodec.EncodeBytes(bytes);
        if (typeof(T) == typeof(ReadOnlyMemory<byte>))
            return PayloadCodec.EncodeBytes(As<ReadOnlyMemory<byte>>(value).Span);
        if (typeof(T) == typeof(TaskPayload))
            return As<TaskPayload>(value).Message;
        return typeof(T) == typeof(Unit) ? Null : PayloadCodec.EncodeJson(value, Type);
    }

    public Payload ToMessage(T value)
    {
        if (typeof(T) == typeof(byte[]) && value is byte[] bytes)
            return new Payload { Data = UnsafeByteOperations.UnsafeWrap(bytes) };
        if (typeof(T) == typeof(ReadOnlyMemory<byte>))
            return new Payload { Data = UnsafeByteOperations.UnsafeWrap(As<ReadOnlyMemory<byte>>(value)) };
        if (typeof(T) == typeof(TaskPayload))
            return Payload.Parser.ParseFrom(As<TaskPayload>(value).Message);
        return typeof(T) == typeof(Unit) ? new Payload() : PayloadJson.Encode(value, Type);
    }

    public T FromMessage(Payload? message)
    {
        if (typeof(T) == typeof(byte[]))
            return message?.Json is { HasNullValue: true } ? default! : (T)(object)BytesOf(message).ToArray();
        if (typeof(T) == typeof(ReadOnlyMemory<byte>))
            return As(BytesOf(message));
        if (typeof(T) == typeof(TaskPayload))
            return As(new TaskPayload((message ?? new Payload()).ToByteString()));
        return typeof(T) == typeof(Unit) ? default! : PayloadJson.Decode(message, Type);
    }

    private static ReadOnlyMemory<byte> BytesOf(Payload? message) => message?.ContentCase switch
    {
        Payload.ContentOneofCase.Data => message.Data.Memory,
        Payload.ContentOneofCase.Json => PayloadCodec.DecodeBytes(message.ToByteString()),
        _ => default,
    };

    // Casts by way of object would allocate.
    private static T As<TFrom>(TFrom value)
        where TFrom : struct => Unsafe.As<TFrom, T>(ref value);

    private static TTo As<TTo>(T value)
        where TTo : struct => Unsafe.As<T, TTo>(ref value);
}
