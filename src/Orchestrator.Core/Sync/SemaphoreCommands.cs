using Orchestrator.Core.Objects;
using Orchestrator.Core.Sessions;

namespace Orchestrator.Core.Sync;

/// <summary>
/// Takes permits of a semaphore, all at once. Given back, they are free again; a session that came into being with them ends.
/// </summary>
/// <remarks>
/// The semaphore is gone as soon as it is as it was created, with no holders and no waiters: then <see cref="InitialPermits"/> is needed again. Only one for
/// signals (unbounded, created with 0) stays for <see cref="ObjectEngineOptions.IdleTtl"/>, so that a signal may come before whoever waits for it. Errors:
/// INVALID, NOT_FOUND where it does not exist and nothing says how to create it, KIND_MISMATCH, DEADLOCK, LIMIT_EXCEEDED, SESSION_LOST, CANCELLED.
/// </remarks>
/// <param name="Semaphore">Its name.</param>
/// <param name="Permits">How many; 0 means 1.</param>
public sealed record AcquireSemaphore(string Semaphore, int Permits = 1) : WaitingCommand
{
    /// <summary>How many permits it has when it is created; null leaves that to others.</summary>
    public int? InitialPermits { get; init; }

    /// <summary>Whether it never has more permits than at first. Without <see cref="InitialPermits"/>, false says nothing.</summary>
    public bool Bounded { get; init; }

    /// <summary>How long the session lives that a request without one gets; null takes the default. Not allowed with a session.</summary>
    public TimeSpan? Lease { get; init; }

    internal int Count => Permits == 0 ? 1 : Permits;

    internal override ObjectOutcome TimedOut => new AcquireSemaphoreOutcome(WaitStatus.Timeout, null, 0);

    internal override void ApplyTo(ObjectEngine engine) => engine.OnAcquireSemaphore(this);

    internal override void Undo(ObjectEngine engine, ObjectOutcome outcome) => engine.UndoAcquireSemaphore(this, (AcquireSemaphoreOutcome)outcome);
}

/// <summary>How an acquire ended.</summary>
/// <param name="Status">Ok or timeout.</param>
/// <param name="Session">Who holds the permits; null after a timeout.</param>
/// <param name="AvailablePermits">How many are left.</param>
public sealed record AcquireSemaphoreOutcome(WaitStatus Status, Session? Session, int AvailablePermits) : ObjectOutcome;

/// <summary>
/// Gives permits back: first those that the session holds itself. What is more is a signal where the semaphore is unbounded; where it is
/// bounded it is taken from those who have held theirs longest, as one process may release what another acquired.
/// </summary>
/// <remarks>Errors: OVER_RELEASED above the initial number of a bounded semaphore, and nothing changes; NOT_FOUND where it does not exist and nothing says how to create it, KIND_MISMATCH, INVALID, LIMIT_EXCEEDED, SESSION_LOST.</remarks>
/// <param name="Semaphore">Its name.</param>
/// <param name="Permits">How many; 0 means 1.</param>
public sealed record ReleaseSemaphore(string Semaphore, int Permits = 1) : ObjectCommand
{
    /// <summary>How many permits it has when this creates it, unbounded, so that a signal may come before anybody waits for it; null leaves that to others.</summary>
    public int? InitialPermits { get; init; }

    internal int Count => Permits == 0 ? 1 : Permits;

    internal override void ApplyTo(ObjectEngine engine) => engine.OnReleaseSemaphore(this);
}

/// <summary>Permits were given back.</summary>
/// <param name="AvailablePermits">How many are left when those who waited have theirs.</param>
public sealed record ReleaseSemaphoreOutcome(int AvailablePermits) : ObjectOutcome;
