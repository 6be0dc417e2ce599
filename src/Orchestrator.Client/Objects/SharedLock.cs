using System.Runtime.CompilerServices;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A lock shared by every process that names it.</summary>
public class SharedLock
{
    private readonly CoordinationSession _session;
    private readonly LockMode _mode;
    private readonly string _flow;

    internal SharedLock(CoordinationSession session, string name, LockMode mode, string flow = "")
    {
        _session = session;
        _flow = flow;
        _mode = mode;
        Name = name;
    }

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    protected SharedLock(string name)
        : this(null!, name, LockMode.Plain)
    {
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Waits until the session holds the lock.</summary>
    /// <exception cref="DeadlockException">The wait would have closed a cycle.</exception>
    /// <exception cref="SessionLostException">The session has ended.</exception>
    public virtual async Task<LockHold> AcquireAsync(CancellationToken cancellationToken = default) =>
        (await Real().AcquireAsync(null, cancellationToken).ConfigureAwait(false))!;

    /// <summary>Waits for at most this long; null if the lock was not acquired. Zero makes one attempt.</summary>
    public virtual Task<LockHold?> TryAcquireAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Real().AcquireAsync(timeout, cancellationToken);

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private SharedLock Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_session, this, member);
        return this;
    }

    /// <summary>The session that acquires it; null for a fake.</summary>
    internal CoordinationSession? Session => _session;

    /// <summary>The operation that acquires it; a timeout of null waits without limit.</summary>
    internal Operation ToAcquire(TimeSpan? timeout)
    {
        var request = new AcquireLockRequest { Lock = Name, Mode = _mode, SessionId = _session.RequestSession, Flow = _flow };
        request.Timeout = TimeLimits.OrNone(timeout);
        return new Operation { AcquireLock = request };
    }

    /// <summary>The hold that was acquired; null after a timeout.</summary>
    internal LockHold? ToHold(AcquireLockResponse response) =>
        response.Status == WaitStatus.Ok ? new LockHold(_session, Name, response.FencingToken, response.Depth) : null;

    private async Task<LockHold?> AcquireAsync(TimeSpan? timeout, CancellationToken cancellationToken) =>
        ToHold((await _session.SendAsync(ToAcquire(timeout), cancellationToken).ConfigureAwait(false)).AcquireLock);
}
