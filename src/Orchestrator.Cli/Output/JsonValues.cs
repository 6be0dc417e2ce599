using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Output;

/// <summary>
/// Turns what a verb prints, anonymous objects and lists of them, into JSON. The serializer's own reflection needs code that is generic
/// over the types of an object's properties, which the command lacks as native code.
/// </summary>
internal static class JsonValues
{
    /// <summary>The value as JSON; numbers that JSON cannot hold, such as a ratio to a time of zero, become null.</summary>
    /// <exception cref="NotSupportedException">It holds a value of a type that no verb prints.</exception>
    public static JsonNode? ToNode(object? value) => value switch
    {
        null => null,
        JsonNode node => node.Parent is null ? node : node.DeepClone(),
        string text => JsonValue.Create(text),
        bool flag => JsonValue.Create(flag),
        int number => JsonValue.Create(number),
        uint number => JsonValue.Create(number),
        long number => JsonValue.Create(number),
        ulong number => JsonValue.Create(number),
        double number => double.IsFinite(number) ? JsonValue.Create(number) : null,
        decimal number => JsonValue.Create(number),
        DateTimeOffset time => JsonValue.Create(time),
        Enum or ValueType => throw new NotSupportedException($"{value.GetType()} has no form in the command's JSON"),
        IDictionary entries => ToObject(entries),
        IEnumerable items => new JsonArray([.. items.Cast<object?>().Select(ToNode)]),
        _ => ToObject(value),
    };

    private static JsonObject ToObject(IDictionary entries)
    {
        var result = new JsonObject();
        foreach (DictionaryEntry entry in entries)
            result.Add((string)entry.Key, ToNode(entry.Value));
        return result;
    }

    [UnconditionalSuppressMessage(
        "Trimming", "IL2075", Justification = "What verbs print is declared in this assembly, which the trimmer keeps whole.")]
    private static JsonObject ToObject(object value)
    {
        var result = new JsonObject();
        foreach (var property in value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
            result.Add(property.Name, ToNode(property.GetValue(value)));
        return result;
    }
}
