using System.Globalization;
using System.Text.Json.Nodes;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.State;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>A test double of the host's editor: values are JSON texts, and paths are dotted names.</summary>
internal sealed class JsonEditor : IValueEditor
{
    public static Content Json(string text) => new(text, text.Length);

    public ValueEdit Add(Content? value, double amount)
    {
        if (Parse(value) is not { } node)
            return Done(amount);
        return node is JsonValue number && number.TryGetValue<double>(out var old)
            ? Done(old + amount) : ValueEdit.Refused($"{node.ToJsonString()} is no number");
    }

    public ValueEdit SetPath(Content? value, string path, Content element)
    {
        var node = (Parse(value) ?? new JsonObject()) as JsonObject;
        var steps = path.Split('.');
        var inner = node;
        for (var i = 0; i < steps.Length - 1 && inner is not null; i++)
            inner = inner[steps[i]] as JsonObject;
        if (inner is null)
            return ValueEdit.Refused($"there is nothing at {path}");
        inner[steps[^1]] = Parse(element);
        return Done(node!);
    }

    public ValueEdit Append(Content? value, Content element)
    {
        if ((Parse(value) ?? new JsonArray()) is not JsonArray array)
            return ValueEdit.Refused($"{value!.Value.Body} is no list");
        array.Add(Parse(element));
        return Done(array);
    }

    private static JsonNode? Parse(Content? value) => value is { } content ? JsonNode.Parse((string)content.Body) : null;

    private static ValueEdit Done(JsonNode node) => ValueEdit.Done(Json(node.ToJsonString()));

    private static ValueEdit Done(double number) => ValueEdit.Done(Json(number.ToString(CultureInfo.InvariantCulture)));
}
