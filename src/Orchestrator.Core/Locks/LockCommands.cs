using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Locks;

/// <summary>How a lock is acquired; the numbers are those of <c>orchestrator.v1.LockMode</c>.</summary>
public enum LockMode : byte
{
    /// <summary>A second acquire by the same session waits for the first; within one named flow, that is a deadlock.</summary>
    Plain = 1,

    /// <summary>A second acquire by the same session increases the depth.</summary>
    Reentrant = 2,

    /// <summary>Shared with other readers; a reader's second read increases the depth, unless a writer waits by then.</summary>
    Read = 3,

    /// <summary>Exclusive; also of the same session's own read, for which it waits.</summary>
    Write = 4,
}

/// <summary>
/// Acquires a lock. When the outcome is undone, the grant is released; a session that was created for it ends.
/// </summary>
/// <remarks>
/// While a lock is held or waited for it is plain, reentrant, or for readers and writers; an acquire in a mode of another kind is
/// KIND_MISMATCH. Errors: INVALID, KIND_MISMATCH, DEADLOCK, LIMIT_EXCEEDED, SESSION_LOST, CANCELLED.
/// </remarks>
/// <param name="Lock">Its name.</param>
/// <param name="Mode">The mode.</param>
public sealed record AcquireLock(string Lock, LockMode Mode = LockMode.Plain) : WaitingCommand
{
    /// <summary>How long the implicit session of a request without one lives; null takes the default. Not allowed with a session.</summary>
    public TimeSpan? Lease { get; init; }

    internal override ObjectOutcome TimedOut => AcquireLockOutcome.TimedOut;

    internal override ObjectKind Primitive => ObjectKind.Lock;
}

/// <summary>How an acquire ended.</summary>
/// <param name="Status">Ok or timeout.</param>
/// <param name="FencingToken">Larger than that of any earlier grant; 0 after a timeout. One hold has one token at any depth.</param>
/// <param name="Session">The holder of the lock; null after a timeout.</param>
/// <param name="Depth">How often this session holds it now; 0 after a timeout.</param>
public sealed record AcquireLockOutcome(WaitStatus Status, ulong FencingToken, Session? Session, int Depth) : ObjectOutcome
{
    /// <inheritdoc/>
    public override bool IsSuccess => Status == WaitStatus.Ok;

    internal static AcquireLockOutcome TimedOut { get; } = new(WaitStatus.Timeout, 0, null, 0);
}

/// <summary>Releases a lock once. Errors: NOT_OWNER where the session does not hold it, INVALID, SESSION_LOST.</summary>
/// <param name="Lock">Its name.</param>
public sealed record ReleaseLock(string Lock) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Lock;
}

/// <summary>A lock was released once.</summary>
/// <param name="Depth">How often the session still holds it.</param>
public sealed record ReleaseLockOutcome(int Depth) : ObjectOutcome
{
    internal static ReleaseLockOutcome Released { get; } = new(0);
}
