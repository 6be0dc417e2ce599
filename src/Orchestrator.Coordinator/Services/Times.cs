using Google.Protobuf.WellKnownTypes;

namespace Orchestrator.Coordinator.Services;

/// <summary>Durations from the wire, which may be anything, as the engine takes them, which refuses what is wrong.</summary>
internal static class Times
{
    private static readonly TimeSpan s_longestTimer = TimeSpan.FromDays(49);
    // Nanoseconds that nobody has brought into order may be two seconds more.
    private static readonly long s_maxSeconds = (long)TimeSpan.MaxValue.TotalSeconds - 3;

    /// <summary>Null where absent; beyond a time span's range, the nearest one within it.</summary>
    public static TimeSpan? ToTimeSpan(Duration? duration) => duration is null
        ? null
        : TimeSpan.FromSeconds(Math.Clamp(duration.Seconds, -s_maxSeconds, s_maxSeconds)) + TimeSpan.FromTicks(duration.Nanos / TimeSpan.NanosecondsPerTick);

    /// <summary>The same, where a timer is to wait for it, which cannot be set for longer.</summary>
    public static TimeSpan? ToWait(Duration? duration) => ToTimeSpan(duration) is { } span ? TimeSpan.FromTicks(Math.Min(span.Ticks, s_longestTimer.Ticks)) : null;

    /// <summary>Null where there is none.</summary>
    public static Duration? ToDuration(TimeSpan? span) => span is { } value ? Duration.FromTimeSpan(value) : null;
}
