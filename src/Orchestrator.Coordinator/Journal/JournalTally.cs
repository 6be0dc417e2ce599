using Orchestrator.Core.Common;

namespace Orchestrator.Coordinator.Journal;

/// <summary>How long the commits of the journal took, and what they wrote, by their durability. Safe for several threads.</summary>
internal sealed class JournalTally
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Durability, (DurationHistogram Times, long Bytes)> _levels = [];

    public void Count(Durability level, TimeSpan took, long bytes)
    {
        lock (_gate)
        {
            var (times, before) = _levels.TryGetValue(level, out var known) ? known : (new DurationHistogram(), 0);
            times.Record(took);
            _levels[level] = (times, before + bytes);
        }
    }

    /// <summary>The times, by the histogram's buckets, and the bytes so far.</summary>
    public IReadOnlyList<(Durability Level, long[] Times, long Bytes)> Read()
    {
        lock (_gate)
            return [.. _levels.Select(item => (item.Key, item.Value.Times.Buckets.ToArray(), item.Value.Bytes))];
    }
}
