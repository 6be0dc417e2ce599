using System.Text.RegularExpressions;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>How values of enumerations are written in tags: as in the contract's JSON, in lower case, such as <c>timed_out</c>.</summary>
internal static partial class EnumTags
{
    /// <summary>The tag of a value; empty for <c>None</c>.</summary>
    public static string Of<T>(T value)
        where T : struct, Enum
    {
        var name = value.ToString();
        return name == "None" ? "" : WordStart().Replace(name, "_$0").ToLowerInvariant();
    }

    [GeneratedRegex("(?<=[a-z])[A-Z]")]
    private static partial Regex WordStart();
}
