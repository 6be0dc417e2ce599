using System.Text.RegularExpressions;

namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>A group of workers that run the same command, and so offer the same handlers.</summary>
/// <param name="Name">The prefix of its workers' names: <c>python</c> has <c>python-1</c>, <c>python-2</c> …</param>
/// <param name="Workers">The number of workers at the start.</param>
/// <param name="Command">The command of one worker: a program and its arguments.</param>
public sealed partial record WorkerGroupOptions(string Name, int Workers, IReadOnlyList<string> Command)
{
    /// <summary>The name of the group that always exists.</summary>
    public const string FirstName = "worker";

    /// <summary>The maximum number of groups.</summary>
    public const int MaxGroups = 32;

    /// <summary>The rule for names, in words.</summary>
    public const string NameRule = "1 to 32 lower-case letters, digits and hyphens, beginning with a letter";

    /// <summary>The name that a worker of this group has before it has a slot.</summary>
    public string SpareName => Name == FirstName ? "spare" : $"{Name}-spare";

    /// <summary>Whether a name satisfies <see cref="NameRule"/>.</summary>
    public static bool IsName(string name) => NamePattern().IsMatch(name);

    [GeneratedRegex("^[a-z][a-z0-9-]{0,31}$", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
