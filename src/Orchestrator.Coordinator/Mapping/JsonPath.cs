using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Transport.RawMessages;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>
/// A place inside a JSON value: names with dots between them and indices in brackets, as in <c>a.b[2]</c> or <c>[-1].name</c>. A name with
/// a dot or bracket is written <c>["a.b"]</c>.
/// </summary>
internal static class JsonPath
{
    /// <summary>The steps, each a name or an index.</summary>
    /// <returns>The fault of the path; null if it is valid.</returns>
    public static string? TryParse(string path, out List<Step> steps)
    {
        steps = [];
        var at = 0;
        while (at < path.Length)
        {
            if (path[at] == '[')
            {
                if (!TryParseBracket(path, ref at, out var step))
                    return $"the path \"{Shorten(path)}\" is wrong at {at}: brackets hold an index, as [2], or a quoted name, as [\"a.b\"]";
                steps.Add(step);
                continue;
            }

            if (steps.Count > 0 && path[at++] != '.')
                return $"the path \"{Shorten(path)}\" is wrong at {at - 1}: a dot or a bracket must follow";
            var end = path.AsSpan(at).IndexOfAny('.', '[');
            var name = end < 0 ? path[at..] : path.Substring(at, end);
            if (name.Length == 0)
                return $"the path \"{Shorten(path)}\" is wrong at {at}: a name is expected here";
            steps.Add(new Step(name, 0));
            at += name.Length;
        }

        // Each step adds at least one array level, and the recursion that sets the value goes one call deeper.
        if (steps.Count > PayloadFormat.MaxArrays)
            return $"the path \"{Shorten(path)}\" of {steps.Count:N0} steps leads too deep: {PayloadFormat.MaxObjects} objects or " +
                $"{PayloadFormat.MaxArrays} arrays inside each other are possible";
        return steps.Count > 0 ? null : "the path is empty; to replace the whole value, set it";
    }

    /// <summary>A path, short enough for a message.</summary>
    public static string Shorten(string path) => path.Length <= 64 ? path : $"{path[..64]}…";

    /// <summary>
    /// Sets the value at the path. Missing objects on the way are created; list elements must exist, and -1 is the last.
    /// </summary>
    /// <returns>Why the value cannot be set; null on success.</returns>
    public static string? TrySet(Value? value, IReadOnlyList<Step> steps, Value element, out Value changed, int depth = 0)
    {
        changed = element;
        if (depth == steps.Count)
            return null;
        var step = steps[depth];
        return step.Name is null
            ? SetElement(value, steps, element, out changed, depth) : SetField(value, steps, element, out changed, depth);
    }

    private static string? SetField(Value? value, IReadOnlyList<Step> steps, Value element, out Value changed, int depth)
    {
        changed = element;
        if (value is not null && value.KindCase != Value.KindOneofCase.StructValue)
            return $"the value at {Describe(steps, depth)} is {JsonEditor.Name(value)}, not an object";
        var name = steps[depth].Name!;
        var old = value?.StructValue.Fields.GetValueOrDefault(name);
        if (TrySet(old, steps, element, out var inner, depth + 1) is { } wrong)
            return wrong;
        var copy = new Struct();
        if (value is not null)
            copy.Fields.Add(value.StructValue.Fields);
        copy.Fields[name] = inner;
        changed = Value.ForStruct(copy);
        return null;
    }

    private static string? SetElement(Value? value, IReadOnlyList<Step> steps, Value element, out Value changed, int depth)
    {
        changed = element;
        if (value?.KindCase != Value.KindOneofCase.ListValue)
            return $"the value at {Describe(steps, depth)} is {(value is null ? "missing" : JsonEditor.Name(value))}, not a list";
        var list = value.ListValue.Values;
        var index = steps[depth].Index < 0 ? steps[depth].Index + list.Count : steps[depth].Index;
        if (index < 0 || index >= list.Count)
            return $"the index {steps[depth].Index} is out of range for the list of length {list.Count} at {Describe(steps, depth)}";
        if (TrySet(list[index], steps, element, out var inner, depth + 1) is { } wrong)
            return wrong;
        var copy = new ListValue { Values = { list } };
        copy.Values[index] = inner;
        changed = new Value { ListValue = copy };
        return null;
    }

    private static bool TryParseBracket(string path, ref int at, out Step step)
    {
        step = default;
        var quoted = at + 1 < path.Length && path[at + 1] == '"';
        var close = path.IndexOf(quoted ? "\"]" : "]", at + (quoted ? 2 : 1), StringComparison.Ordinal);
        if (close < 0)
            return false;
        if (quoted)
        {
            step = new Step(path[(at + 2)..close], 0);
            at = close + 2;
            return true;
        }

        if (!int.TryParse(path.AsSpan(at + 1, close - at - 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index))
            return false;
        step = new Step(null, index);
        at = close + 1;
        return true;
    }

    private static string Describe(IReadOnlyList<Step> steps, int count) => count == 0
        ? "the top"
        : string.Concat(
            steps.Take(count).Select((step, i) => step.Name is null ? $"[{step.Index}]" : i == 0 ? step.Name : $".{step.Name}"));

    /// <summary>One step into a value.</summary>
    /// <param name="Name">The field; null for an index.</param>
    /// <param name="Index">The element; negative counts from the end.</param>
    public readonly record struct Step(string? Name, int Index);
}
