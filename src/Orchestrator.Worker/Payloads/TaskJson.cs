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
    public static JsonSerializerOptions Default { get; } = Create();

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.AllowNamedFloatingPointLiterals,
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        };
        options.Converters.Add(new JsonStringEnumConverter());
        options.Converters.Add(new BigIntegerConverter());
        options.MakeReadOnly();
        return options;
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
