using System.Diagnostics;
using Orchestrator.Core.Common;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>
/// How long commands wait for their engine's lock: about one of 1,024 is timed, since two reads of the clock would cost more than an
/// uncontended lock.
/// </summary>
internal sealed class LockWaits
{
    private const int Sampled = 1_024;

    private readonly DurationHistogram _times = new();
    private int _entries;

    /// <summary>Called before the lock is taken.</summary>
    /// <returns>The time to pass to <see cref="Entered"/>; 0 where this wait is not timed.</returns>
    public long Begin() => Volatile.Read(ref _entries) % Sampled == 0 ? Stopwatch.GetTimestamp() : 0;

    /// <summary>Called under the lock.</summary>
    public void Entered(long began)
    {
        // Written under the lock only, which is held alone.
        _entries = unchecked(_entries + 1);
        if (began != 0)
            _times.Record(Stopwatch.GetElapsedTime(began));
    }

    /// <summary>The waits so far, by the histogram's buckets. Called under the lock.</summary>
    public long[] Read() => _times.Buckets.ToArray();
}
