using System.CommandLine;
using System.CommandLine.Completions;
using Orchestrator.TestKit;

namespace Orchestrator.Cli.Tests;

/// <summary>The command's verbs as its parser knows them, so that a test over all of them cannot miss a new one.</summary>
internal static class VerbTree
{
    /// <summary>Every verb that has an action, by its words.</summary>
    public static IReadOnlyList<(string Words, System.CommandLine.Command Command)> Leaves { get; } =
        [.. Walk("", CommandLine.Root).OrderBy(leaf => leaf.Words, StringComparer.Ordinal)];

    /// <summary>Every verb, including those with subcommands.</summary>
    public static IEnumerable<(string Words, System.CommandLine.Command Command)> All() => All("", CommandLine.Root);

    /// <summary>A command line of this verb that the parser accepts, with one value for each argument.</summary>
    public static string[] Line(string words)
    {
        var command = Leaves.Single(leaf => leaf.Words == words).Command;
        var line = words.Split(' ').ToList();
        foreach (var option in command.Options.Where(option => option.Required))
            line.AddRange([option.Name, Value(option)]);
        // Verbs that could wait or follow must end.
        if (command.Options.Any(option => option.Name == "--timeout"))
            line.AddRange(["--timeout", "0s"]);
        if (command.Options.Any(option => option.Name == "--count"))
            line.AddRange(["--count", "1"]);
        line.AddRange(command.Arguments.Select(Value));
        return [.. line];
    }

    private static string Value(Symbol symbol) =>
        symbol.GetCompletions(CompletionContext.Empty).Select(item => item.Label).FirstOrDefault() ?? symbol.Name switch
        {
            "FILE" => Repository.PathOf("scripts", "load", "steady.json"),
            "COMMAND" => "true",
            _ => "1",
        };

    private static IEnumerable<(string Words, System.CommandLine.Command Command)> Walk(string words, System.CommandLine.Command command) =>
        All(words, command).Where(verb => verb.Command.Subcommands.Count == 0);

    private static IEnumerable<(string Words, System.CommandLine.Command Command)> All(string words, System.CommandLine.Command command)
    {
        if (words.Length > 0)
            yield return (words, command);
        foreach (var child in command.Subcommands.SelectMany(child => All($"{words} {child.Name}".Trim(), child)))
            yield return child;
    }
}
