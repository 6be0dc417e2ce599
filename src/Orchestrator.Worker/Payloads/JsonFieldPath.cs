namespace Orchestrator.Worker.Payloads;

/// <summary>Reads the serializer's paths: <c>$.a.b[0]['odd name']</c>.</summary>
internal static class JsonFieldPath
{
    /// <summary>The steps below the root; an index keeps its brackets.</summary>
    public static IReadOnlyList<string> Parse(string? path)
    {
        var steps = new List<string>();
        var rest = (path ?? "").AsSpan().TrimStart('$');
        while (!rest.IsEmpty)
        {
            int end;
            if (rest.StartsWith("['"))
            {
                end = rest.IndexOf("']");
                if (end < 0)
                    break;
                steps.Add(rest[2..end].ToString());
                end += 2;
            }
            else if (rest[0] == '[')
            {
                end = rest.IndexOf(']') + 1;
                if (end == 0)
                    break;
                steps.Add(rest[..end].ToString());
            }
            else
            {
                rest = rest.TrimStart('.');
                end = rest.IndexOfAny('.', '[');
                end = end < 0 ? rest.Length : end;
                steps.Add(rest[..end].ToString());
            }

            rest = rest[end..];
        }

        return steps;
    }

    public static string Join(string path, string step) =>
        path.Length == 0 || step.StartsWith('[') ? path + step : $"{path}.{step}";
}
