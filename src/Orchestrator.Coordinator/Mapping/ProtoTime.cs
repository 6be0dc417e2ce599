using Google.Protobuf.WellKnownTypes;
using Orchestrator.Protocol;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>Converts durations from the wire, which may hold anything, to the engine's; the engine refuses invalid ones.</summary>
internal static class ProtoTime
{
    // The maximum of a protobuf duration, 10,000 years; a TimeSpan can hold three times as much.
    private static readonly TimeSpan LongestDuration = TimeSpan.FromSeconds(Duration.MaxSeconds);
    // Nanoseconds that are not normalized can add two seconds.
    private static readonly long LargestSeconds = (long)TimeSpan.MaxValue.TotalSeconds - 3;

    /// <summary>Null if absent; clamped to the range of TimeSpan.</summary>
    public static TimeSpan? ToTimeSpan(Duration? duration) => duration is null
        ? null
        : TimeSpan.FromSeconds(Math.Clamp(duration.Seconds, -LargestSeconds, LargestSeconds)) + TimeSpan.FromTicks(
            duration.Nanos / TimeSpan.NanosecondsPerTick);

    /// <summary>The same, clamped to the maximum of a timer.</summary>
    public static TimeSpan? ToWait(Duration? duration) =>
        ToTimeSpan(duration) is { } span ? TimeSpan.FromTicks(Math.Min(span.Ticks, ProtocolConstants.LongestTimer.Ticks)) : null;

    /// <summary>The instant of a field; null if it is absent.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID: it is outside the range of a timestamp.</exception>
    public static DateTimeOffset? ToInstant(Timestamp? time, string field)
    {
        try
        {
            return time?.ToDateTimeOffset();
        }
        catch (InvalidOperationException)
        {
            throw RpcErrors.Invalid(field, $"{time!.Seconds} s and {time.Nanos} ns after 1970 are not within the years 1 to 9999");
        }
    }

    /// <summary>Null if there is none; clamped to the maximum of the contract's type.</summary>
    public static Duration? ToDuration(TimeSpan? span) =>
        span is { } value ? Duration.FromTimeSpan(value < LongestDuration ? value : LongestDuration) : null;
}
