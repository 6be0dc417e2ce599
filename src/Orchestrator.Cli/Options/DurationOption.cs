using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Orchestrator.Cli.Options;

/// <summary>Options that take a time: <c>250ms</c>, <c>2s</c>, <c>1.5m</c>, <c>1h</c>; a bare number is seconds.</summary>
internal static class DurationOption
{
    public static Option<TimeSpan?> Option(string name, string description, double? defaultSeconds = null) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = Parse,
        DefaultValueFactory = _ => defaultSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
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

    private static TimeSpan? Parse(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        var time = TryParse(text);
        if (time is null)
            result.AddError($"'{text}' is not a time. Write it like 250ms, 2s, 1.5m or 1h.");
        return time;
    }
}
