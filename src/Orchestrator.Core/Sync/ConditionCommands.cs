using Orchestrator.Core.Objects;

namespace Orchestrator.Core.Sync;

/// <summary>
/// Gives up a lock, however deep it is held, waits to be notified, and holds the lock again, as deep, before it answers.
/// </summary>
/// <remarks>
/// <para>
/// The timeout is that of the notification; the lock is waited for without end, after a timeout too. A timeout of zero answers at once, without the
/// lock having been given up. The lock must be held alone: a READ hold is not enough.
/// </para>
/// <para>
/// An error once it waits (CANCELLED, SESSION_LOST, DEADLOCK) leaves the session without the lock, as does an abandoned wait or one that is given
/// back: nobody is there who would release it. A notification that went to such a wait goes to the next who waited when it was given.
/// Errors: NOT_OWNER without the lock, KIND_MISMATCH while the condition belongs to another lock, INVALID, DEADLOCK, LIMIT_EXCEEDED, SESSION_LOST, CANCELLED.
/// </para>
/// </remarks>
/// <param name="Condition">Its name.</param>
/// <param name="Lock">The lock that the session holds.</param>
public sealed record WaitCondition(string Condition, string Lock) : WaitingCommand
{
    // With the lock held as it was: its token comes from there.
    internal override ObjectOutcome TimedOut => new WaitConditionOutcome(WaitStatus.Timeout, 0);

    internal override void ApplyTo(ObjectEngine engine) => engine.OnWaitCondition(this);

    internal override void Undo(ObjectEngine engine, ObjectOutcome outcome) => engine.UndoWaitCondition(this, (WaitConditionOutcome)outcome);
}

/// <summary>The lock is held again.</summary>
/// <param name="Status">Ok when it was notified, or timeout.</param>
/// <param name="FencingToken">The token of the new hold: larger than that of the hold which was given up.</param>
public sealed record WaitConditionOutcome(WaitStatus Status, ulong FencingToken) : ObjectOutcome
{
    /// <summary>What was given again; null where nothing had been given up.</summary>
    internal ConditionReturn? Return { get; init; }
}

/// <summary>
/// Wakes some of those who wait, in the order in which they began; each goes on when it has the lock. Errors: NOT_OWNER without the lock,
/// KIND_MISMATCH, INVALID, SESSION_LOST.
/// </summary>
/// <param name="Condition">Its name.</param>
/// <param name="Lock">The lock that the session holds.</param>
/// <param name="Count">How many; 0 means 1, −1 all.</param>
public sealed record NotifyCondition(string Condition, string Lock, int Count = 1) : ObjectCommand
{
    internal override void ApplyTo(ObjectEngine engine) => engine.OnNotifyCondition(this);
}

/// <summary>Waiters were notified.</summary>
/// <param name="Notified">How many.</param>
public sealed record NotifyConditionOutcome(int Notified) : ObjectOutcome;
