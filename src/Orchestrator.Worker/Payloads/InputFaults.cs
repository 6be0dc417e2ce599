using System.Collections.ObjectModel;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Orchestrator.Worker.Payloads;

/// <summary>
/// Turns the serializer's exception into a sentence that names the field, the expected and the actual value. The exception itself names a
/// .NET type and a byte position, which are useless to a Python or shell user.
/// </summary>
internal static class InputFaults
{
    private const int ShownCharacters = 60;

    public static InvalidInputException Explain(ReadOnlySpan<byte> json, JsonTypeInfo type, JsonException fault)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json.ToArray());
        }
        catch (JsonException)
        {
            return new InvalidInputException("", "is no valid JSON", fault);
        }

        using (document)
            return Explain(document.RootElement, type, fault);
    }

    /// <summary>Such as <c>a whole number (int64)</c>.</summary>
    public static string Expected(JsonTypeInfo type) => Expected(type.Type, type.Kind);

    public static string Show(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= ShownCharacters ? text : string.Concat(text.AsSpan(0, ShownCharacters), "…");
    }

    private static InvalidInputException Explain(JsonElement root, JsonTypeInfo rootType, JsonException fault)
    {
        var (value, type, field) = Walk(root, rootType, JsonFieldPath.Parse(fault.Path));
        if (type.Kind == JsonTypeInfoKind.Object && value is { ValueKind: JsonValueKind.Object } holder
            && FirstMissing(holder, type) is { } missing)
            return new InvalidInputException(
                JsonFieldPath.Join(field, missing.Name), $"is missing: it must be {Expected(missing, type)}", fault);
        var got = value is { } present ? Show(present) : "nothing";
        return new InvalidInputException(field, $"must be {Expected(type)}, got {got}", fault);
    }

    private static (JsonElement? Value, JsonTypeInfo Type, string Field) Walk(
        JsonElement root, JsonTypeInfo type, IReadOnlyList<string> path)
    {
        JsonElement? value = root;
        var field = "";
        foreach (var step in path)
        {
            if (Step(type, step) is not { } next)
                break;
            type = next;
            value = value is { } parent ? Child(parent, step) : null;
            field = JsonFieldPath.Join(field, step);
        }

        return (value, type, field);
    }

    private static JsonTypeInfo? Step(JsonTypeInfo type, string step)
    {
        var target = type.Kind switch
        {
            JsonTypeInfoKind.Object =>
                type.Properties.FirstOrDefault(p => string.Equals(p.Name, step, StringComparison.OrdinalIgnoreCase))?.PropertyType,
            JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary => type.ElementType,
            _ => null,
        };
        return target is null ? null : type.Options.GetTypeInfo(target);
    }

    private static JsonElement? Child(JsonElement parent, string step)
    {
        if (parent.ValueKind == JsonValueKind.Array)
            return int.TryParse(step.AsSpan().Trim("[]"), out var index) && index < parent.GetArrayLength() ? parent[index] : null;
        if (parent.ValueKind != JsonValueKind.Object)
            return null;
        JsonElement? found = null;
        foreach (var property in parent.EnumerateObject())
        {
            if (string.Equals(property.Name, step, StringComparison.OrdinalIgnoreCase))
                found = property.Value;
        }

        return found;
    }

    private static JsonPropertyInfo? FirstMissing(JsonElement value, JsonTypeInfo type) =>
        type.Properties.FirstOrDefault(property => IsRequired(property) && Child(value, property.Name) is null);

    private static bool IsRequired(JsonPropertyInfo property) =>
        property.IsRequired ||
        (property.Options.RespectRequiredConstructorParameters && property.AssociatedParameter is { HasDefaultValue: false });

    private static string Expected(JsonPropertyInfo property, JsonTypeInfo owner) =>
        Expected(property.PropertyType, owner.Options.GetTypeInfo(property.PropertyType).Kind);

    private static string Expected(Type type, JsonTypeInfoKind kind)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (Names.TryGetValue(type, out var name))
            return name;
        if (type.IsEnum)
            return "one of " + string.Join(", ", Enum.GetNames(type));
        return kind switch
        {
            JsonTypeInfoKind.Enumerable => "a JSON array",
            JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary => "a JSON object",
            _ => $"a JSON value for {type.Name}",
        };
    }

    private static readonly ReadOnlyDictionary<Type, string> Names = new Dictionary<Type, string>
    {
        [typeof(byte)] = "a whole number (uint8)",
        [typeof(sbyte)] = "a whole number (int8)",
        [typeof(short)] = "a whole number (int16)",
        [typeof(ushort)] = "a whole number (uint16)",
        [typeof(int)] = "a whole number (int32)",
        [typeof(uint)] = "a whole number (uint32)",
        [typeof(long)] = "a whole number (int64)",
        [typeof(ulong)] = "a whole number (uint64)",
        [typeof(Int128)] = "a whole number (int128)",
        [typeof(UInt128)] = "a whole number (uint128)",
        [typeof(BigInteger)] = "a whole number",
        [typeof(float)] = "a number",
        [typeof(double)] = "a number",
        [typeof(decimal)] = "a number",
        [typeof(bool)] = "true or false",
        [typeof(string)] = "a string",
        [typeof(char)] = "a string of one character",
        [typeof(byte[])] = "a base64 string",
        [typeof(DateTime)] = "a date-time string",
        [typeof(DateTimeOffset)] = "a date-time string",
        [typeof(TimeSpan)] = "a duration string such as 00:00:01",
        [typeof(Guid)] = "a UUID string",
        [typeof(Uri)] = "a URI string",
    }.AsReadOnly();
}
