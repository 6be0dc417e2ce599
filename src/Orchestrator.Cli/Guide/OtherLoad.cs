using System.Diagnostics;
using System.Globalization;

namespace Orchestrator.Cli.Guide;

/// <summary>
/// The processor time that other programs take during a measurement: a speed measured beside them is that of the remaining cores.
/// </summary>
internal sealed class OtherLoad
{
    // In cores: a terminal, a timer and the like are always running.
    private const double Tolerable = 0.3;

    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly double _before = ReadBusySeconds();

    /// <summary>The cores that were busy since, or stolen from this machine, without those used by the measured program.</summary>
    /// <param name="ownSeconds">The processor time of the measured program.</param>
    public double Cores(double ownSeconds) =>
        Math.Max(0, ReadBusySeconds() - _before - ownSeconds) / Stopwatch.GetElapsedTime(_started).TotalSeconds;

    /// <summary>Whether this load invalidates a measurement.</summary>
    public static bool Disturbs(double cores) => cores > Tolerable;

    /// <summary>The processor time of all cores since boot, without idle and I/O wait time.</summary>
    private static double ReadBusySeconds()
    {
        const int TicksPerSecond = 100;
        // cpu user nice system idle iowait irq softirq steal …
        var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(
            field => long.Parse(field, CultureInfo.InvariantCulture)).ToArray();
        return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) / (double)TicksPerSecond;
    }
}
