using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>
/// One of several independent flows of work within a session, such as one of its threads. What is acquired through it is the session's, as ever; but the search for
/// deadlocks tells flows apart as it tells sessions, so that two flows which wait for each other are found, and two which have nothing to do with each other are not taken
/// for one.
/// </summary>
/// <remarks>Made by <see cref="CoordinationSession.CreateFlow"/>. It holds nothing and need not be disposed.</remarks>
public sealed class SessionFlow
{
    private readonly CoordinationSession _session;

    internal SessionFlow(CoordinationSession session, string name) => (_session, Name) = (session, name);

    /// <summary>Its name, unique among those of the session that were made here.</summary>
    public string Name { get; }

    /// <summary>As <see cref="CoordinationSession.Lock"/>.</summary>
    public SharedLock Lock(string name, LockMode mode = LockMode.Plain) => new(_session, name, mode, Name);

    /// <summary>As <see cref="CoordinationSession.Semaphore"/>.</summary>
    public SharedSemaphore Semaphore(string name, int? initialPermits = null, bool bounded = false) => new(_session, name, initialPermits, bounded, Name);

    /// <summary>As <see cref="CoordinationSession.Condition"/>.</summary>
    public SharedCondition Condition(string name, string lockName) => new(_session, name, lockName, Name);
}
