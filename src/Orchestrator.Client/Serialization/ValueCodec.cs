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
    public static ValueCodec<T> For<T>(JsonSerializerOptions? json)
    {
        if (json is null && !PayloadOptions.IsUnconverted<T>())
        {
            if (!JsonSerializer.IsReflectionEnabledByDefault)
                throw new InvalidOperationException(NoReflection);
            // Only the compiler is silenced. The trimmer takes this line away where the program has no JSON by reflection, as trimmed ones
            // by default, and warns where it has.
#pragma warning disable IL2026, IL3050
            json = PayloadReflection.Usual;
#pragma warning restore IL2026, IL3050
        }

        return new ValueCodec<T>(PayloadOptions.Encoder<T>(json), PayloadOptions.Decoder<T>(json));
    }

    /// <summary>By generated code.</summary>
    public static ValueCodec<T> For<T>(JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return new ValueCodec<T>(value => PayloadJson.Encode(value, type), payload => PayloadJson.Decode(payload, type));
    }
}
