using System.Runtime.CompilerServices;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>
/// One of several independent flows of work within a session, such as one of its threads. The session still owns everything acquired
/// through a flow, but deadlock detection distinguishes flows as it does sessions: it finds two flows that wait for each other, and does
/// not mistake unrelated flows for one.
/// </summary>
/// <remarks>Created by <see cref="CoordinationSession.CreateFlow"/>. It holds nothing and need not be disposed.</remarks>
public class SessionFlow
{
    private readonly CoordinationSession _session;

    internal SessionFlow(CoordinationSession session, string name) => (_session, Name) = (session, name);

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    protected SessionFlow(string name)
        : this(null!, name)
    {
    }

    /// <summary>Its name, unique among the flows that this client created for the session.</summary>
    public string Name { get; }

    /// <summary>As <see cref="CoordinationSession.Lock"/>.</summary>
    public virtual SharedLock Lock(string name) => Real().Lock(name, LockMode.Plain);

    /// <summary>As <see cref="CoordinationSession.ReentrantLock"/>.</summary>
    public virtual SharedLock ReentrantLock(string name) => Real().Lock(name, LockMode.Reentrant);

    /// <summary>As <see cref="CoordinationSession.ReadLock"/>.</summary>
    public virtual SharedLock ReadLock(string name) => Real().Lock(name, LockMode.Read);

    /// <summary>As <see cref="CoordinationSession.WriteLock"/>.</summary>
    public virtual SharedLock WriteLock(string name) => Real().Lock(name, LockMode.Write);

    /// <summary>As <see cref="CoordinationSession.Semaphore"/>.</summary>
    public virtual SharedSemaphore Semaphore(string name, int? initialPermits = null, bool bounded = false) =>
        new(Real()._session, name, initialPermits, bounded, Name);

    /// <summary>As <see cref="CoordinationSession.Condition"/>.</summary>
    public virtual SharedCondition Condition(string name, string lockName) => new(Real()._session, name, lockName, Name);

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private SessionFlow Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_session, this, member);
        return this;
    }

    internal void ThrowIfFake([CallerMemberName] string member = "") => FakeMember.ThrowIfContract(_session, this, member);

    internal SharedLock Lock(string name, LockMode mode) => new(_session, name, mode, Name);
}
