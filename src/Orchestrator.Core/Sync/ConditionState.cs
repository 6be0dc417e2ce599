using Orchestrator.Core.Objects;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Sync;

/// <summary>
/// Those who wait to be notified, while there are any; for so long it belongs to the lock that they gave up. Whoever is notified or
/// out of time moves to the lock's line.
/// </summary>
internal sealed class ConditionState(string name, LockState @lock) : NamedObject(ObjectKind.Condition, name)
{
    public LockState Lock => @lock;

    public override WaiterQueue Waiters { get; } = new();

    public override bool HasWaiters => Waiters.Count > 0;

    /// <summary>Anybody who has the lock may notify, but whoever has it, or will have it first, must be done before the wait is.</summary>
    public override void AddBlockers(Wait wait, Blockers blockers) => @lock.AddBlockers(wait, @lock.Waiters?.Last, blockers);

    public override void OnTimeout(ObjectEngine engine, Wait wait) => engine.ReturnFrom(wait);

    public override void OnWaiterLeft(ObjectEngine engine, Wait wait) => engine.DropIfIdle(this);

    public override string Describe() => $"of {@lock}, {Waiters.Count} waiting";
}

/// <summary>What a wait at a condition has to get back, and why it ended.</summary>
internal sealed class ConditionReturn(ConditionState condition, int depth)
{
    public ConditionState Condition => condition;

    /// <summary>How deep the lock was held.</summary>
    public int Depth => depth;

    /// <summary>The number of the notification that woke it; 0 when none did.</summary>
    public long NotifiedAt { get; set; }
}
