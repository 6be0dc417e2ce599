using System.Runtime.CompilerServices;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
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

    private async Task<LockHold?> AcquireAsync(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new AcquireLockRequest { Lock = Name, Mode = _mode, SessionId = _session.RequestSession, Flow = _flow };
        request.Timeout = TimeLimits.OrNone(timeout);
        var response = (await _session.SendAsync(new Operation { AcquireLock = request }, cancellationToken)
            .ConfigureAwait(false)).AcquireLock;
        return response.Status == WaitStatus.Ok ? new LockHold(_session, Name, response.FencingToken, response.Depth) : null;
    }
}

/// <summary>A lock that is held. Disposing releases it once.</summary>
public class LockHold : IAsyncDisposable
{
    private readonly CoordinationSession _session;
    private readonly CancellationTokenSource _lost = new();
    private int _released;

    internal LockHold(CoordinationSession session, string name, ulong fencingToken, int depth)
    {
        _session = session;
        Name = name;
        FencingToken = fencingToken;
        Depth = depth;
        session?.Track(this);
    }

    /// <summary>For a fake, which overrides <see cref="DisposeAsync"/>.</summary>
    protected LockHold(string name, ulong fencingToken = 1)
        : this(null!, name, fencingToken, 1)
    {
    }

    /// <summary>The lock's name.</summary>
    public string Name { get; }

    /// <summary>
    /// Larger than the token of every earlier grant: pass it to the protected resource, so that it can reject a stale writer.
    /// </summary>
    public ulong FencingToken { get; }

    /// <summary>How many times the session held the lock with this grant.</summary>
    public int Depth { get; }

    /// <summary>Fires when the hold is lost: another session may hold the lock now.</summary>
    public virtual CancellationToken Lost => _lost.Token;

    /// <summary>Call this before a step that needs the lock.</summary>
    /// <exception cref="LockLostException">The hold was lost.</exception>
    public void ThrowIfLost()
    {
        if (Lost.IsCancellationRequested)
            throw new LockLostException(
                $"lock \"{Name}\" (fencing token {FencingToken}) is not held any more: its session ended or was not heard of in time",
                null);
    }

    internal string ObjectName => $"locks/{Name}";

    /// <summary>Releases the lock; does nothing if it was lost or released before.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        // A fake has no session.
        if (_session is null || Interlocked.Exchange(ref _released, 1) != 0)
            return;
        _session.Untrack(this);
        try
        {
            await _session.SendAsync(
                new Operation { ReleaseLock = new ReleaseLockRequest { Lock = Name, SessionId = _session.RequestSession } },
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (OrchestratorException exception)
            when (exception is SessionLostException || exception.Reason == FailureReason.NotOwner || _session.HasEnded)
        {
            // The lock is no longer held, which is what the caller wants.
        }
    }

    internal void SetLost()
    {
        if (Interlocked.Exchange(ref _released, 1) == 0)
            _ = _lost.CancelAsync();
    }
}
