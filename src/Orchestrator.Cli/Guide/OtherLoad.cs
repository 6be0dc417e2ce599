using System.Diagnostics;
using System.Globalization;

namespace Orchestrator.Cli.Guide;

/// <summary>What others take of this machine's cores while something is measured: a speed that was measured beside them is that of the machine's leftovers.</summary>
internal sealed class OtherLoad
{
    // Of a core: a terminal, a timer and the like are always there.
    private const double Tolerable = 0.3;

    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly double _before = ReadBusySeconds();

    /// <summary>How many cores were busy since, or were taken away from this machine, beside those that what is measured has used.</summary>
    /// <param name="ownSeconds">The processor time of what is measured.</param>
    public double Cores(double ownSeconds) => Math.Max(0, ReadBusySeconds() - _before - ownSeconds) / Stopwatch.GetElapsedTime(_started).TotalSeconds;

    /// <summary>Whether so much is too much for a measurement.</summary>
    public static bool Disturbs(double cores) => cores > Tolerable;

    /// <summary>Of all cores since the machine started: all but what they were idle or waited for a disk.</summary>
    private static double ReadBusySeconds()
    {
        const int TicksPerSecond = 100;
        // cpu user nice system idle iowait irq softirq steal …
        var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(field => long.Parse(field, CultureInfo.InvariantCulture)).ToArray();
        return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) / (double)TicksPerSecond;
    }
}
