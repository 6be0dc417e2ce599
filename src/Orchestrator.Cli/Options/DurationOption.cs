using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Orchestrator.Cli.Options;

/// <summary>Options that take a time: <c>250ms</c>, <c>2s</c>, <c>1.5m</c>, <c>1h</c>; a bare number is seconds.</summary>
internal static class DurationOption
{
    private const string HelpName = "TIME";

    public static Option<OptionTime?> Option(string name, string description, TimeSpan? defaultValue = null)
    {
        var option = new Option<OptionTime?>(name) { Description = description, HelpName = HelpName, CustomParser = ParseOne };
        if (defaultValue is { } time)
            option.DefaultValueFactory = _ => new OptionTime(time);
        return option;
    }

    /// <summary>An option of any number of times, whose default the description names.</summary>
    public static Option<OptionTime[]> Many(string name, string description) => new(name)
    {
        Description = description,
        HelpName = HelpName,
        CustomParser = result => [.. result.Tokens.Select(token => Parse(token.Value, result) ?? default)],
        AllowMultipleArgumentsPerToken = true,
    };

    public static TimeSpan? TryParse(string text)
    {
        (string Suffix, double Seconds)[] units = [("ms", 1e-3), ("us", 1e-6), ("s", 1), ("m", 60), ("h", 3600), ("", 1)];
        var (suffix, scale) = units.First(unit => text.EndsWith(unit.Suffix, StringComparison.OrdinalIgnoreCase));
        // This also excludes NaN.
        return double.TryParse(text[..^suffix.Length], NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && Math.Abs(number * scale) <= TimeSpan.MaxValue.TotalSeconds / 2
            ? TimeSpan.FromTicks((long)Math.Round(number * scale * TimeSpan.TicksPerSecond))
            : null;
    }

    private static OptionTime? ParseOne(ArgumentResult result) => Parse(result.Tokens.Count == 1 ? result.Tokens[0].Value : "", result);

    private static OptionTime? Parse(string text, ArgumentResult result)
    {
        if (TryParse(text) is { } time)
            return new OptionTime(time);
        result.AddError($"'{text}' is not a time. Write it like 250ms, 2s, 1.5m or 1h.");
        return null;
    }
}
