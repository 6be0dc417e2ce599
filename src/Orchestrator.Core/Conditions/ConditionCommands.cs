using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Conditions;

/// <summary>
/// Releases a lock, however deep it is held, waits to be notified, and holds the lock again, at the same depth, before it answers.
/// </summary>
/// <remarks>
/// <para>
/// The timeout applies to the notification; the lock is awaited without limit, after a timeout too. A timeout of zero answers at once,
/// without releasing the lock. The lock must be held exclusively: a READ hold is not enough.
/// </para>
/// <para>
/// An error during the wait (CANCELLED, SESSION_LOST, DEADLOCK) leaves the session without the lock, as does an abandoned or undone wait:
/// there is no caller left to release it. A notification that went to such a wait goes to the next command that already waited when it was
/// sent. Errors: NOT_OWNER without the lock, KIND_MISMATCH while the condition belongs to another lock, INVALID, DEADLOCK, LIMIT_EXCEEDED,
/// SESSION_LOST, CANCELLED.
/// </para>
/// </remarks>
/// <param name="Condition">Its name.</param>
/// <param name="Lock">The lock that the session holds.</param>
public sealed record WaitCondition(string Condition, string Lock) : WaitingCommand
{
    // The lock stays held: its token is taken from the hold.
    internal override ObjectOutcome TimedOut => new WaitConditionOutcome(WaitStatus.Timeout, 0);

    internal override ObjectKind Primitive => ObjectKind.Condition;
}

/// <summary>The lock is held again.</summary>
/// <param name="Status">Ok when it was notified, or timeout.</param>
/// <param name="FencingToken">The token of the new hold: larger than that of the released hold.</param>
public sealed record WaitConditionOutcome(WaitStatus Status, ulong FencingToken) : ObjectOutcome
{
    /// <inheritdoc/>
    public override bool IsSuccess => Status == WaitStatus.Ok;

    /// <summary>The lock state that was restored; null if the lock had not been released.</summary>
    internal ConditionReturn? Return { get; init; }
}

/// <summary>
/// Wakes some of the waiters, in the order in which they began; each continues when it has the lock. Errors: NOT_OWNER without the lock,
/// KIND_MISMATCH, INVALID, SESSION_LOST.
/// </summary>
/// <param name="Condition">Its name.</param>
/// <param name="Lock">The lock that the session holds.</param>
/// <param name="Count">How many; 0 means 1, −1 all.</param>
public sealed record NotifyCondition(string Condition, string Lock, int Count = 1) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Condition;
}

/// <summary>Waiters were notified.</summary>
/// <param name="Notified">How many.</param>
public sealed record NotifyConditionOutcome(int Notified) : ObjectOutcome;
