using Orchestrator.Core.Common;

namespace Orchestrator.Core.Kernel;

/// <summary>What is held and what waits at all objects of one kind.</summary>
public sealed class KindTally
{
    /// <summary>Holds: locks, permits, leases.</summary>
    public long Held { get; internal set; }

    /// <summary>Commands that wait.</summary>
    public long Waiters { get; internal set; }

    /// <summary>How long commands have waited, however that ended; those that were served at once are not in it.</summary>
    public DurationHistogram WaitTimes { get; } = new();
}
