using Orchestrator.Core.Common;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>Why a worker's place was filled anew.</summary>
internal enum RestartCause
{
    /// <summary>The worker died, or was killed since it did not answer.</summary>
    Lost,

    /// <summary>It died before it had done anything, or did not start.</summary>
    EarlyDeath,

    /// <summary>It was ended on purpose: a task ignored its cancellation, or an operator ended it.</summary>
    Replaced,
}

/// <summary>How often and how fast the workers of each group were replaced. Safe for several threads.</summary>
internal sealed class RestartTally
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Group, RestartCause Cause), long> _counts = [];
    private readonly Dictionary<string, DurationHistogram> _takeovers = [];

    /// <summary>A place was lost.</summary>
    public void Count(string group, RestartCause cause)
    {
        lock (_gate)
            _counts[(group, cause)] = _counts.GetValueOrDefault((group, cause)) + 1;
    }

    /// <summary>A place was filled so long after it had been lost.</summary>
    public void CountTakeover(string group, TimeSpan after)
    {
        lock (_gate)
        {
            if (!_takeovers.TryGetValue(group, out var times))
                _takeovers.Add(group, times = new DurationHistogram());
            times.Record(after);
        }
    }

    /// <summary>How often so far.</summary>
    public IReadOnlyList<(string Group, RestartCause Cause, long Count)> Counts()
    {
        lock (_gate)
            return [.. _counts.Select(item => (item.Key.Group, item.Key.Cause, item.Value))];
    }

    /// <summary>The times from the loss of a worker to the moment at which another had its place, by the histogram's buckets.</summary>
    public IReadOnlyList<(string Group, long[] Buckets)> Takeovers()
    {
        lock (_gate)
            return [.. _takeovers.Select(item => (item.Key, item.Value.Buckets.ToArray()))];
    }
}
