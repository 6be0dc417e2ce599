using System.Globalization;
using System.Text.RegularExpressions;
using Orchestrator.Cli.Common;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Cli.Commands;

/// <summary>Parses <c>--worker-command</c>: <c>COMMAND</c> for the first group, or <c>NAME=COUNT:COMMAND</c> for another group.</summary>
internal static partial class WorkerCommands
{
    private const string Form = "a group is NAME=COUNT:COMMAND, such as 'python=2:python3 worker.py'";

    /// <summary>Parses all values.</summary>
    /// <param name="values">The option's values.</param>
    /// <returns>The first group's command, null if none was given, and the other groups.</returns>
    /// <exception cref="UsageException">A value is wrong; the message says what would be right.</exception>
    public static (IReadOnlyList<string>? First, IReadOnlyList<WorkerGroupOptions> More) Read(IEnumerable<string> values)
    {
        IReadOnlyList<string>? first = null;
        var more = new List<WorkerGroupOptions>();
        foreach (var value in values)
        {
            if (GroupPattern().Match(value) is { Success: true } match)
                more.Add(Group(value, match.Groups["name"].Value, match.Groups["rest"].Value));
            else if (first is null)
                first = CommandSplitter.Split(value);
            else
                throw new UsageException($"--worker-command '{value}' is the second without a name; {Form}.");
        }

        return (first, more);
    }

    private static WorkerGroupOptions Group(string value, string name, string rest)
    {
        var colon = rest.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
            throw new UsageException($"--worker-command '{value}' has no colon before its command; {Form}.");
        if (!int.TryParse(rest[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out var workers) || workers is < 1 or > 1_024)
            throw new UsageException($"--worker-command '{value}': '{rest[..colon]}' is not a number of workers from 1 to 1024; {Form}.");
        if (!WorkerGroupOptions.IsName(name))
            throw new UsageException(
                $"--worker-command '{value}': '{name}' is not a group's name, which is {WorkerGroupOptions.NameRule}; {Form}.");
        if (string.IsNullOrWhiteSpace(rest[(colon + 1)..]))
            throw new UsageException($"--worker-command '{value}' has no command after the colon; {Form}.");
        return new WorkerGroupOptions(name, workers, CommandSplitter.Split(rest[(colon + 1)..]));
    }

    // A program's path may contain an equals sign after a slash; a bare word with one is a group.
    [GeneratedRegex(@"^\s*(?<name>[^\s=/'""]+)=(?<rest>.*)$", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex GroupPattern();
}
