using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Orchestrator.Cli.Options;

/// <summary>
/// Options that take a number of bytes: <c>512MB</c>, <c>1.5GB</c>, <c>64KB</c>; units are powers of 1024, and a bare number is bytes.
/// </summary>
internal static class ByteSizeOption
{
    public static Option<OptionSize?> Option(string name, string description, Func<long>? defaultValue = null)
    {
        var option = new Option<OptionSize?>(name) { Description = description, HelpName = "SIZE", CustomParser = Parse };
        if (defaultValue is not null)
            option.DefaultValueFactory = _ => new OptionSize(defaultValue());
        return option;
    }

    public static long? TryParse(string text)
    {
        (string Suffix, int Shift)[] units =
            [("KIB", 10), ("MIB", 20), ("GIB", 30), ("KB", 10), ("MB", 20), ("GB", 30), ("K", 10), ("M", 20), ("G", 30), ("", 0)];
        var (suffix, shift) = units.First(unit => text.EndsWith(unit.Suffix, StringComparison.OrdinalIgnoreCase));
        return double.TryParse(text[..^suffix.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number * (1L << shift) < long.MaxValue
            ? (long)(number * (1L << shift))
            : null;
    }

    private static OptionSize? Parse(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (TryParse(text) is { } bytes)
            return new OptionSize(bytes);
        result.AddError($"'{text}' is not a size. Write it like 512MB, 1.5GB or 65536.");
        return null;
    }
}
