using Google.Protobuf.WellKnownTypes;
using Orchestrator.Contracts;

namespace Orchestrator.Coordinator.Services;

/// <summary>Durations from the wire, which may be anything, as the engine takes them, which refuses what is wrong.</summary>
internal static class ProtoTime
{
    // The most that a protobuf duration may say, 10,000 years; a time span can say three times as much.
    private static readonly TimeSpan s_longestDuration = TimeSpan.FromSeconds(Duration.MaxSeconds);
    // Nanoseconds that are not normalized may be two seconds more.
    private static readonly long s_maxSeconds = (long)TimeSpan.MaxValue.TotalSeconds - 3;

    /// <summary>Null where absent; beyond a time span's range, the nearest one within it.</summary>
    public static TimeSpan? ToTimeSpan(Duration? duration) => duration is null
        ? null
        : TimeSpan.FromSeconds(Math.Clamp(duration.Seconds, -s_maxSeconds, s_maxSeconds)) + TimeSpan.FromTicks(duration.Nanos / TimeSpan.NanosecondsPerTick);

    /// <summary>The same, where a timer is to wait for it, which cannot be set for longer.</summary>
    public static TimeSpan? ToWait(Duration? duration) => ToTimeSpan(duration) is { } span ? TimeSpan.FromTicks(Math.Min(span.Ticks, ProtocolConstants.LongestTimer.Ticks)) : null;

    /// <summary>Null where there is none; at most what the contract's type can say.</summary>
    public static Duration? ToDuration(TimeSpan? span) => span is { } value ? Duration.FromTimeSpan(value < s_longestDuration ? value : s_longestDuration) : null;
}
