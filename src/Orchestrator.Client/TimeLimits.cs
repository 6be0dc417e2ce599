using System.Runtime.CompilerServices;
using Google.Protobuf.WellKnownTypes;

namespace Orchestrator.Client;

/// <summary>
/// Times of a caller as durations of the contract. .NET's <see cref="Timeout.InfiniteTimeSpan"/> is −1 ms, which the coordinator would refuse as negative: here it is what it
/// means, or is refused by name.
/// </summary>
internal static class TimeLimits
{
    /// <summary>Where an absent one is no limit: waits and leases.</summary>
    public static Duration? OrNone(TimeSpan? limit) =>
        limit is { } span && span != Timeout.InfiniteTimeSpan ? Duration.FromTimeSpan(span) : null;

    /// <summary>Where an absent one takes a default: the longest that the contract can say, which the coordinator takes for the longest it allows.</summary>
    public static Duration? OrLongest(TimeSpan? limit) =>
        limit == Timeout.InfiniteTimeSpan ? new Duration { Seconds = Duration.MaxSeconds } : OrNone(limit);

    /// <summary>Where nothing can go on without end.</summary>
    /// <param name="span">The time.</param>
    /// <param name="why">Why it ends, and what to give instead.</param>
    /// <param name="name">What the caller knows it as.</param>
    public static Duration Finite(TimeSpan span, string why, [CallerArgumentExpression(nameof(span))] string? name = null) =>
        span == Timeout.InfiniteTimeSpan
            ? throw new ArgumentOutOfRangeException(name, $"Timeout.InfiniteTimeSpan is not possible here: {why}.")
            : Duration.FromTimeSpan(span);
}
