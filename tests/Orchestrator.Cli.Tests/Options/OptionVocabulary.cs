using System.CommandLine;
using Orchestrator.Cli.Options;

namespace Orchestrator.Cli.Tests.Options;

/// <summary>
/// The rules for the options of all verbs together: one name for one meaning and one meaning for one name, with the same form of value.
/// </summary>
/// <param name="verbs">Each option with the verb that takes it.</param>
/// <param name="shared">
/// Names whose descriptions differ with what the verb does: how each of these descriptions begins, and no other option's.
/// </param>
internal sealed class OptionVocabulary(
    IReadOnlyCollection<(string Verb, Option Option)> verbs, IReadOnlyDictionary<string, string> shared)
{
    /// <summary>What contradicts the rules, for people.</summary>
    public IEnumerable<string> Faults() =>
    [
        .. verbs.GroupBy(item => item.Option.Name).SelectMany(group => FaultsOf(group.Key, [.. group])),
        .. verbs.SelectMany(item => FormFaults(item.Verb, item.Option)),
        .. Ambiguous("description", option => [option.Description!], option => option.Name, "names"),
        .. Ambiguous("alias", option => option.Aliases, option => option.Name, "options"),
        .. Ambiguous("value", option => option.HelpName is { } name ? [name] : [], Kind, "types"),
        .. shared.Where(pair => verbs.Where(item => item.Option.Name == pair.Key).DistinctBy(item => item.Option.Description).Count() < 2)
            .Select(pair => $"{pair.Key} has one description, or none: it needs no common beginning"),
    ];

    private IEnumerable<string> FaultsOf(string name, (string Verb, Option Option)[] uses)
    {
        foreach (var (what, text) in new (string, Func<Option, string>)[]
            { ("aliases", option => string.Join(' ', option.Aliases.Order())), ("value", option => option.HelpName ?? ""), ("type", Kind) })
        {
            if (uses.DistinctBy(use => text(use.Option)).ToArray() is { Length: > 1 } differing)
                yield return $"{name} has more than one {what}: " +
                    string.Join(", ", differing.Select(use => $"'{text(use.Option)}' of {use.Verb}"));
        }

        var descriptions = uses.DistinctBy(use => use.Option.Description).ToArray();
        if (shared.TryGetValue(name, out var beginning))
        {
            foreach (var (verb, option) in descriptions.Where(
                use => !use.Option.Description!.StartsWith(beginning, StringComparison.Ordinal)))
                yield return $"{name} of {verb} does not begin with '{beginning}': '{option.Description}'";
        }
        else if (descriptions.Length > 1)
        {
            yield return $"{name} has more than one description: " +
                string.Join(", ", descriptions.Select(use => $"'{use.Option.Description}' of {use.Verb}"));
        }

        foreach (var (other, text) in shared.Where(pair => pair.Key != name))
        {
            if (descriptions.FirstOrDefault(
                use => use.Option.Description!.StartsWith(text, StringComparison.Ordinal)) is { Verb: { } verb })
                yield return $"{name} of {verb} begins as {other} does: '{text}'";
        }
    }

    private static IEnumerable<string> FormFaults(string verb, Option option)
    {
        var text = option.Description ?? "";
        if (text.Length == 0 || !char.IsUpper(text[0]) || text[^1] != '.')
            yield return $"{option.Name} of {verb} is not described in a sentence: '{text}'";
        if (!option.Name.StartsWith("--", StringComparison.Ordinal) || option.Name.Any(char.IsUpper))
            yield return $"{option.Name} of {verb} is not two dashes and lower case";
        var isSwitch = Kind(option) == "switch";
        if (isSwitch != option.HelpName is null)
            yield return $"{option.Name} of {verb} {(isSwitch ? "is a switch, and names a value" : "does not name its value")}";
    }

    /// <summary>What stands for one thing only, and stands for several.</summary>
    private IEnumerable<string> Ambiguous(
        string what, Func<Option, IEnumerable<string>> of, Func<Option, string> meaning, string meanings) =>
        from item in verbs
        from text in of(item.Option)
        group meaning(item.Option) by text into named
        where named.Distinct().Count() > 1
        select $"the {what} '{named.Key}' has several {meanings}: {string.Join(", ", named.Distinct())}";

    private static string Kind(Option option)
    {
        var type = option.ValueType;
        var element = type.IsArray ? type.GetElementType()! : Nullable.GetUnderlyingType(type) ?? type;
        return element == typeof(bool) ? "switch"
            : element == typeof(OptionTime) ? "time"
            : element == typeof(OptionSize) ? "size"
            : element == typeof(double) ? "number"
            : element == typeof(string) ? "text"
            : "integer";
    }
}
