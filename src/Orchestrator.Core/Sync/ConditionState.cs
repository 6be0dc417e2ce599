using Orchestrator.Core.Objects;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Sync;

/// <summary>
/// The waits for a notification, while there are any; meanwhile the condition belongs to the lock that they released. A wait that is
/// notified or times out moves to the lock's queue.
/// </summary>
internal sealed class ConditionState(string name, LockState @lock) : NamedObject(ObjectKind.Condition, name)
{
    public LockState Lock => @lock;

    public override WaiterQueue Waiters { get; } = new();

    public override bool HasWaiters => Waiters.Count > 0;

    /// <summary>Any holder of the lock may notify, but the current or next holder must be done before the wait is.</summary>
    public override void AddBlockers(Wait wait, Blockers blockers) => @lock.AddBlockers(wait, @lock.Waiters?.Last, blockers);

    public override void OnTimeout(ObjectEngine engine, Wait wait) => engine.ReturnFrom(wait);

    public override void OnWaiterLeft(ObjectEngine engine, Wait wait) => engine.DropIfIdle(this);

    public override string Describe() => $"of {@lock}, {Waiters.Count} waiting";
}

/// <summary>The lock depth that a wait at a condition has to restore, and why the wait ended.</summary>
internal sealed class ConditionReturn(ConditionState condition, int depth)
{
    public ConditionState Condition => condition;

    /// <summary>How deep the lock was held.</summary>
    public int Depth => depth;

    /// <summary>The number of the notification that woke it; 0 when none did.</summary>
    public long NotifiedAt { get; set; }
}
