using System.Runtime.CompilerServices;
using Google.Protobuf.WellKnownTypes;

namespace Orchestrator.Client.Serialization;

/// <summary>
/// Converts a caller's time spans to durations of the contract. <see cref="Timeout.InfiniteTimeSpan"/> is −1 ms, which the coordinator
/// would refuse as negative: it is converted to what it means, or refused by name.
/// </summary>
internal static class TimeLimits
{
    /// <summary>For waits and leases, where an absent duration means no limit.</summary>
    public static Duration? OrNone(TimeSpan? limit) =>
        limit is { } span && span != Timeout.InfiniteTimeSpan ? Duration.FromTimeSpan(span) : null;

    /// <summary>
    /// For limits where an absent duration means a default: infinite becomes the contract's longest duration, which the coordinator caps at
    /// its maximum.
    /// </summary>
    public static Duration? OrLongest(TimeSpan? limit) =>
        limit == Timeout.InfiniteTimeSpan ? new Duration { Seconds = Duration.MaxSeconds } : OrNone(limit);

    /// <summary>For times that must be finite.</summary>
    /// <param name="span">The time.</param>
    /// <param name="why">Why it must be finite, and what to give instead.</param>
    /// <param name="name">The caller's parameter name.</param>
    public static Duration Finite(TimeSpan span, string why, [CallerArgumentExpression(nameof(span))] string? name = null) =>
        span == Timeout.InfiniteTimeSpan
            ? throw new ArgumentOutOfRangeException(name, $"Timeout.InfiniteTimeSpan is not possible here: {why}.")
            : Duration.FromTimeSpan(span);
}
