using System.Globalization;

namespace Orchestrator.Cli.Options;

/// <summary>
/// A number of bytes as an option takes it; its text is what one would type, so that the help shows a default in that form.
/// </summary>
/// <param name="Bytes">The number of bytes.</param>
internal readonly record struct OptionSize(long Bytes)
{
    // An exact number that is longer, such as half of a machine's memory, is not what one would type.
    private const int LongestExact = 7;

    private static readonly (string Suffix, int Shift)[] Units = [("GB", 30), ("MB", 20), ("KB", 10), ("", 0)];

    /// <summary>In the largest unit of which it is a whole number, such as <c>512MB</c>; rounded where that is long.</summary>
    public override string ToString()
    {
        var bytes = Bytes;
        var (suffix, shift) = Units.First(unit => bytes % (1L << unit.Shift) == 0 && (bytes != 0 || unit.Shift == 0));
        var exact = (bytes >> shift).ToString(CultureInfo.InvariantCulture) + suffix;
        if (exact.Length <= LongestExact)
            return exact;
        (suffix, shift) = Units.First(unit => bytes >= 1L << unit.Shift);
        return ((double)bytes / (1L << shift)).ToString("0.##", CultureInfo.InvariantCulture) + suffix;
    }

    public static implicit operator long(OptionSize size) => size.Bytes;
}
