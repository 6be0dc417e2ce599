using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Semaphores;

/// <summary>
/// Takes permits of a semaphore, all at once. When the outcome is undone, they are free again; a session that was created for them ends.
/// </summary>
/// <remarks>
/// The semaphore is dropped as soon as it is in its initial state, without holders and waiters: then <see cref="InitialPermits"/> is needed
/// again. Only a semaphore for signals (unbounded, created with 0) stays for <see cref="KernelOptions.IdleTtl"/>, so that a signal
/// may come before the acquire that waits for it. Errors: INVALID, NOT_FOUND if it does not exist and the command does not say how to
/// create it, KIND_MISMATCH, DEADLOCK, LIMIT_EXCEEDED, SESSION_LOST, CANCELLED.
/// </remarks>
/// <param name="Semaphore">Its name.</param>
/// <param name="Permits">How many; 0 means 1.</param>
public sealed record AcquireSemaphore(string Semaphore, int Permits = 1) : WaitingCommand
{
    /// <summary>How many permits it has when this creates it; null does not create it.</summary>
    public int? InitialPermits { get; init; }

    /// <summary>Whether it never has more permits than at first. Without <see cref="InitialPermits"/>, false is ignored.</summary>
    public bool Bounded { get; init; }

    /// <summary>How long the implicit session of a request without one lives; null takes the default. Not allowed with a session.</summary>
    public TimeSpan? Lease { get; init; }

    internal int Count => Permits == 0 ? 1 : Permits;

    internal override ObjectOutcome TimedOut => new AcquireSemaphoreOutcome(WaitStatus.Timeout, null, 0);

    internal override ObjectKind Primitive => ObjectKind.Semaphore;
}

/// <summary>How an acquire ended.</summary>
/// <param name="Status">Ok or timeout.</param>
/// <param name="Session">The holder of the permits; null after a timeout.</param>
/// <param name="AvailablePermits">How many are left.</param>
public sealed record AcquireSemaphoreOutcome(WaitStatus Status, Session? Session, int AvailablePermits) : ObjectOutcome
{
    /// <inheritdoc/>
    public override bool IsSuccess => Status == WaitStatus.Ok;
}

/// <summary>
/// Releases permits: first those that the session holds itself. Any further permits are signals if the semaphore is unbounded; if it is
/// bounded they are taken from the sessions that have held theirs longest, as one process may release permits that another acquired.
/// </summary>
/// <remarks>
/// Errors: OVER_RELEASED above the initial number of a bounded semaphore, and nothing changes; NOT_FOUND if it does not exist and
/// the command does not say how to create it, KIND_MISMATCH, INVALID, LIMIT_EXCEEDED, SESSION_LOST.
/// </remarks>
/// <param name="Semaphore">Its name.</param>
/// <param name="Permits">How many; 0 means 1.</param>
public sealed record ReleaseSemaphore(string Semaphore, int Permits = 1) : ObjectCommand
{
    /// <summary>
    /// How many permits it has when this creates it, unbounded, so that a signal may come before any acquire waits for it; null
    /// does not create it.
    /// </summary>
    public int? InitialPermits { get; init; }

    internal int Count => Permits == 0 ? 1 : Permits;

    internal override ObjectKind Primitive => ObjectKind.Semaphore;
}

/// <summary>Permits were released.</summary>
/// <param name="AvailablePermits">How many are left after the waiters have been served.</param>
public sealed record ReleaseSemaphoreOutcome(int AvailablePermits) : ObjectOutcome;
