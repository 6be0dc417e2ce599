using System.Globalization;

namespace Orchestrator.Cli.Options;

/// <summary>A time as an option takes it; its text is what one would type, so that the help shows a default in that form.</summary>
/// <param name="Value">The time.</param>
internal readonly record struct OptionTime(TimeSpan Value)
{
    private static readonly (string Suffix, long Ticks)[] Units =
    [
        ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute), ("s", TimeSpan.TicksPerSecond), ("ms", TimeSpan.TicksPerMillisecond),
        ("us", TimeSpan.TicksPerMicrosecond),
    ];

    /// <summary>In the largest unit of which it is a whole number: <c>25s</c>, <c>90s</c>, <c>1h</c>, <c>250ms</c>.</summary>
    public override string ToString()
    {
        var ticks = Value.Ticks;
        if (ticks == 0)
            return "0s";
        var (suffix, unit) = Units.FirstOrDefault(unit => ticks % unit.Ticks == 0, Units[^1]);
        return ((decimal)ticks / unit).ToString(CultureInfo.InvariantCulture) + suffix;
    }

    public static implicit operator TimeSpan(OptionTime time) => time.Value;
}
