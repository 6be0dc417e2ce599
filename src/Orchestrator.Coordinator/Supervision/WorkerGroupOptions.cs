using System.Text.RegularExpressions;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>Workers that run one command, and so offer the same handlers.</summary>
/// <param name="Name">Its workers are named after it: <c>python</c> has <c>python-1</c>, <c>python-2</c> …</param>
/// <param name="Workers">How many at the start.</param>
/// <param name="Command">What starts one of them: a program and its arguments.</param>
public sealed partial record WorkerGroupOptions(string Name, int Workers, IReadOnlyList<string> Command)
{
    /// <summary>The group that there always is.</summary>
    public const string FirstName = "worker";

    /// <summary>The most groups.</summary>
    public const int MaxGroups = 32;

    /// <summary>What a name must look like, in words.</summary>
    public const string NameRule = "1 to 32 lower-case letters, digits and hyphens, beginning with a letter";

    /// <summary>The name that a worker of this group has before it has a slot.</summary>
    public string SpareName => Name == FirstName ? "spare" : $"{Name}-spare";

    /// <summary>Whether a name is as <see cref="NameRule"/> says.</summary>
    public static bool IsName(string name) => NamePattern().IsMatch(name);

    [GeneratedRegex("^[a-z][a-z0-9-]{0,31}$", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
