using System.Text.Json.Serialization.Metadata;
using Google.Protobuf;

namespace Orchestrator.Worker.Payloads;

/// <summary>What a payload contains.</summary>
public enum PayloadKind
{
    /// <summary>Nothing was sent.</summary>
    Empty,

    /// <summary>Opaque bytes.</summary>
    Data,

    /// <summary>A JSON value.</summary>
    Json,
}

/// <summary>
/// An <c>orchestrator.v1.Payload</c> as its bytes on the wire. It is decoded only on demand.
/// </summary>
public readonly struct TaskPayload(ByteString message) : IEquatable<TaskPayload>
{
    private readonly ByteString? _message = message;

    /// <summary>The encoded message.</summary>
    public ByteString Message => _message ?? ByteString.Empty;

    /// <summary>What it contains. Malformed bytes fail the task with reason INVALID.</summary>
    public PayloadKind Kind => PayloadCodec.Parse(Message).Kind;

    /// <summary>The bytes of a data payload, or the UTF-8 text of a JSON string; any other content is invalid input.</summary>
    public ReadOnlyMemory<byte> ReadBytes() => PayloadCodec.DecodeBytes(Message);

    /// <summary>The JSON value as <typeparamref name="T"/>; other content or a JSON value that does not fit is invalid input.</summary>
    public T ReadJson<T>(JsonTypeInfo<T> type) => PayloadCodec.DecodeJson(Message, type);

    /// <summary>A payload of opaque bytes, which are copied.</summary>
    public static TaskPayload FromBytes(ReadOnlySpan<byte> bytes) => new(PayloadCodec.EncodeBytes(bytes));

    /// <summary>A payload with a JSON value.</summary>
    public static TaskPayload FromJson<T>(T value, JsonTypeInfo<T> type) => new(PayloadCodec.EncodeJson(value, type));

    /// <inheritdoc/>
    public bool Equals(TaskPayload other) => Message.Equals(other.Message);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TaskPayload other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Message.GetHashCode();

    /// <summary>Equal bytes on the wire.</summary>
    public static bool operator ==(TaskPayload left, TaskPayload right) => left.Equals(right);

    /// <summary>Unequal bytes on the wire.</summary>
    public static bool operator !=(TaskPayload left, TaskPayload right) => !left.Equals(right);
}
