using System.Text.Json;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Contract;

/// <summary>Creates and reads payloads.</summary>
public static class Payloads
{
    /// <summary>A payload of opaque bytes. The bytes are not copied, so they must not change afterwards.</summary>
    public static Payload FromBytes(ReadOnlyMemory<byte> data) => PayloadText.FromBytes(data);

    /// <summary>
    /// A payload of a JSON value, from its text. Numbers that a double cannot hold, such as integers beyond 2^53 and 1e400, travel as text.
    /// </summary>
    /// <exception cref="JsonException">The text is not one JSON value, or a string in it is not Unicode: it holds half of a surrogate
    /// pair.</exception>
    public static Payload FromJson(string json) => PayloadText.FromJson(json);

    /// <summary>A payload of a JSON number.</summary>
    public static Payload FromNumber(double value) => PayloadText.FromNumber(value);

    /// <summary>A payload of an integer, exact as a JSON number.</summary>
    public static Payload FromNumber(int value) => PayloadText.FromNumber(value);

    /// <summary>A payload of a JSON string.</summary>
    public static Payload FromText(string text) => PayloadText.FromText(text);

    /// <summary>The JSON text of a payload's value.</summary>
    /// <exception cref="ArgumentException">The payload holds bytes.</exception>
    public static string ToJson(Payload payload) => PayloadText.ToJson(payload);

    /// <summary>The bytes of a payload, or the UTF-8 of its JSON.</summary>
    public static ReadOnlyMemory<byte> ToBytes(Payload? payload) => PayloadText.ToBytes(payload);
}
