using System.Diagnostics;

namespace Orchestrator.Cli.Bench.Load;

/// <summary>The length of one round: a number of operations, or a duration if <paramref name="Count"/> is 0.</summary>
internal sealed record RoundPlan(TimeSpan Duration, long Count)
{
    /// <summary>Ends the round before that.</summary>
    public CancellationToken Until { get; init; }

    public RoundBudget Start() => new(this);
}

/// <summary>Hands out the operations of a round: at least one, so that every figure has a rate. Thread-safe.</summary>
internal sealed class RoundBudget(RoundPlan plan)
{
    private readonly long _end = plan.Count > 0
        ? long.MaxValue
        : Stopwatch.GetTimestamp() + (long)(plan.Duration.TotalSeconds * Stopwatch.Frequency);

    private long _left = plan.Count > 0 ? plan.Count : long.MaxValue;
    private int _hasBegun;

    public bool TryTake(int count = 1)
    {
        if (Interlocked.Add(ref _left, -count) < 0 || plan.Until.IsCancellationRequested)
            return false;
        var isFirst = Volatile.Read(ref _hasBegun) == 0 && Interlocked.Exchange(ref _hasBegun, 1) == 0;
        return isFirst || Stopwatch.GetTimestamp() < _end;
    }
}

/// <summary>The result of one round.</summary>
/// <param name="Latency">One record per operation.</param>
/// <param name="Elapsed">From the first operation's start to the last one's end.</param>
/// <param name="Failed">Operations that ended with an error; they count as completed too.</param>
/// <param name="ItemsPerMessage">The average number of tasks per message, if batches were sent.</param>
/// <param name="OfferedRate">Intended operations per second, in an open loop.</param>
/// <param name="FirstError">Why the first failed operation failed.</param>
internal sealed record RoundResult(
    LatencyRecorder Latency,
    TimeSpan Elapsed,
    long Failed = 0,
    double? ItemsPerMessage = null,
    double? OfferedRate = null,
    string? FirstError = null)
{
    public double PerSecond => Latency.Count / Elapsed.TotalSeconds;
}

/// <summary>A kind of load.</summary>
internal interface ILoadShape
{
    Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token);
}
