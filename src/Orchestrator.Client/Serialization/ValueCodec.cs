using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.V1;

namespace Orchestrator.Client.Serialization;

/// <summary>Converts the values of a shared object to payloads and back.</summary>
/// <param name="encode">Value to payload.</param>
/// <param name="decode">Payload to value.</param>
internal sealed class ValueCodec<T>(Func<T, Payload> encode, Func<Payload?, T> decode)
{
    public Payload Encode(T value) => encode(value);

    /// <summary>The value of a payload.</summary>
    /// <param name="payload">Received.</param>
    /// <param name="kind">Such as <c>queue</c>, for the message.</param>
    /// <param name="name">The object's name, for the message.</param>
    /// <exception cref="JsonException">The payload is no <typeparamref name="T"/>; the message names the object and the field.</exception>
    public T Decode(Payload? payload, string kind, string name)
    {
        try
        {
            return decode(payload);
        }
        catch (JsonException exception)
        {
            throw new JsonException(
                $"A value of {kind} \"{name}\" is no {typeof(T).Name}{PayloadJson.Field(exception)}: {exception.Message}",
                exception.Path, exception.LineNumber, exception.BytePositionInLine, exception);
        }
    }
}

/// <summary>Creates <see cref="ValueCodec{T}"/>s.</summary>
internal static class ValueCodec
{
    private const string NoReflection =
        "JSON by reflection is disabled in this program, as in trimmed ones: set OrchestratorClientOptions.Json to options whose " +
        "TypeInfoResolver is a JsonSerializerContext, or give the JsonTypeInfo of the type.";

    /// <summary>By the options; null for those of the SDK, which use reflection.</summary>
    /// <exception cref="InvalidOperationException">There are no options, and the program has no JSON by reflection.</exception>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Types come from the options, or reflection is enabled.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Types come from the options, or reflection is enabled.")]
    public static ValueCodec<T> For<T>(JsonSerializerOptions? json)
    {
        if (json is null && !JsonSerializer.IsReflectionEnabledByDefault && !IsUnconverted<T>())
            throw new InvalidOperationException(NoReflection);
        return new ValueCodec<T>(PayloadReflection.Encoder<T>(json), PayloadReflection.Decoder<T>(json));
    }

    /// <summary>By generated code.</summary>
    public static ValueCodec<T> For<T>(JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return new ValueCodec<T>(value => PayloadJson.Encode(value, type), payload => PayloadJson.Decode(payload, type));
    }

    private static bool IsUnconverted<T>() =>
        typeof(T) == typeof(Payload) || typeof(T) == typeof(byte[]) || typeof(T) == typeof(ReadOnlyMemory<byte>);
}
