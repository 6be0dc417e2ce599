using System.CommandLine.Parsing;
using System.Text.RegularExpressions;

namespace Orchestrator.Cli.Options;

/// <summary>What is wrong with a command line, in words for people: the parser names types of .NET.</summary>
internal static partial class ParseErrors
{
    /// <summary>All errors, each once.</summary>
    public static string Text(IEnumerable<ParseError> errors) => string.Join(' ', errors.Select(error => Text(error.Message)).Distinct());

    private static string Text(string message)
    {
        if (WrongType().Match(message) is not { Success: true } match)
            return Breaks().Replace(message, " ");
        var wanted = match.Groups["type"].Value switch
        {
            "Boolean" => "true or false",
            "UInt64" or "UInt32" => "a whole number, zero or more",
            "Int32" or "Int64" => "a whole number",
            "Double" => "a number",
            var other => other,
        };
        var option = match.Groups["option"].Value;
        return $"'{match.Groups["value"].Value}' is not {wanted}{(option.Length > 0 ? $", as {option} needs" : "")}.";
    }

    [GeneratedRegex(@"\s*\n\s*")]
    private static partial Regex Breaks();

    [GeneratedRegex(
        @"^Cannot parse argument '(?<value>.*?)'( for (option|command) '(?<option>.+?)')? as expected type '.*?(?<type>\w+)'\.?$",
        RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex WrongType();
}
