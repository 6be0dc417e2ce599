using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;

namespace Orchestrator.Core.Conditions;

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

    public override string Describe() => $"of {@lock}, {Waiters.Count} waiting";
}

/// <summary>The lock that a wait at a condition has to hold again, and why the wait ended.</summary>
internal sealed class ConditionReturn(ConditionMachine machine, ConditionState condition, int depth) : LockReentry(depth)
{
    public ConditionState Condition => condition;

    /// <summary>The number of the notification that woke it; 0 when none did.</summary>
    public long NotifiedAt { get; set; }

    public override ObjectOutcome Granted(LockHold hold) =>
        new WaitConditionOutcome(NotifiedAt > 0 ? WaitStatus.Ok : WaitStatus.Timeout, hold.Token) { Return = this };

    public override void OnLeft() => machine.PassOn(this);
}
