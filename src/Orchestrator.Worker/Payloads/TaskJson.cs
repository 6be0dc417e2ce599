using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Orchestrator.Worker.Payloads;

/// <summary>The default JSON of typed handlers.</summary>
public static class TaskJson
{
    /// <summary>
    /// Web conventions: camelCase names read in any case, enum names as text, unknown members skipped. Numbers are also read from
    /// strings, since an integer beyond 2^53 can only travel as one. Missing required members and null where null is not
    /// allowed are errors.
    /// </summary>
    /// <remarks>
    /// It uses reflection. In a program without it, as trimmed ones are by default, it knows no type, and its message names the way out.
    /// </remarks>
    public static JsonSerializerOptions Default { get; } = Create();

    private static JsonSerializerOptions Create()
    {
        if (!JsonSerializer.IsReflectionEnabledByDefault)
            return Usual(new NoTypes());
        // Only the compiler is silenced. The trimmer takes this line away where the program has no JSON by reflection, as trimmed ones by
        // default, and warns where it has.
#pragma warning disable IL2026, IL3050
        return ByReflection();
#pragma warning restore IL2026, IL3050
    }

    [RequiresUnreferencedCode("JSON by reflection.")]
    [RequiresDynamicCode("JSON by reflection.")]
    private static JsonSerializerOptions ByReflection() => Usual(new DefaultJsonTypeInfoResolver(), new JsonStringEnumConverter());

    private static JsonSerializerOptions Usual(IJsonTypeInfoResolver resolver, params ReadOnlySpan<JsonConverter> converters)
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.AllowNamedFloatingPointLiterals,
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            TypeInfoResolver = resolver,
        };
        foreach (var converter in converters)
            options.Converters.Add(converter);
        options.Converters.Add(new BigIntegerConverter());
        options.MakeReadOnly();
        return options;
    }

    private sealed class NoTypes : IJsonTypeInfoResolver
    {
        public JsonTypeInfo? GetTypeInfo(Type type, JsonSerializerOptions options) => throw new InvalidOperationException(
            $"JSON by reflection is disabled in this program, as in trimmed ones, and {type} needs it: give " +
            "OrchestratorWorker.CreateBuilder, or the Json of TaskHandlerOptions, options whose TypeInfoResolver is a " +
            "JsonSerializerContext.");
    }

    // Without it a BigInteger would be written as an object of its properties.
    private sealed class BigIntegerConverter : JsonConverter<BigInteger>
    {
        public override BigInteger Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType is not (JsonTokenType.Number or JsonTokenType.String))
                throw new JsonException();
            using var raw = JsonDocument.ParseValue(ref reader);
            var text = raw.RootElement.ValueKind == JsonValueKind.String ? raw.RootElement.GetString() : raw.RootElement.GetRawText();
            return BigInteger.TryParse(text, System.Globalization.NumberStyles.AllowLeadingSign, null, out var value)
                ? value
                : throw new JsonException();
        }

        public override void Write(Utf8JsonWriter writer, BigInteger value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.ToString(System.Globalization.CultureInfo.InvariantCulture), skipInputValidation: true);
    }
}
