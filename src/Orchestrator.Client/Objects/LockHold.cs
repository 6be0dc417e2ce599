using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A lock that is held. Disposing releases it once, without waiting for that.</summary>
public class LockHold : IAsyncDisposable, IDisposable, IPostedOperation
{
    private const int Held = 0;
    private const int Released = 1;
    private const int LostBefore = 2;

    private readonly CoordinationSession _session;
    private readonly CancellationTokenSource _lost = new();
    private int _state;

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
            throw NotHeld(null);
    }

    internal string ObjectName => $"locks/{Name}";

    /// <summary>Releases the lock, and waits until it is released; does nothing if it was released before.</summary>
    /// <exception cref="LockLostException">The hold had been lost: another session may have held the lock meanwhile.</exception>
    /// <exception cref="OrchestratorException">It is not known whether the lock was released.</exception>
    public virtual async Task ReleaseAsync()
    {
        FakeMember.ThrowIfNull(_session, this, nameof(ReleaseAsync));
        switch (Interlocked.CompareExchange(ref _state, Released, Held))
        {
            case Released:
                return;
            case LostBefore:
                throw NotHeld(null);
        }

        _session.Untrack(this);
        try
        {
            await _session.SendAsync(ToRelease(), CancellationToken.None).ConfigureAwait(false);
        }
        catch (OrchestratorException exception)
            when (exception is SessionLostException || exception.Reason == FailureReason.NotOwner || _session.HasEnded)
        {
            throw NotHeld(exception);
        }
    }

    /// <summary>
    /// Releases the lock without waiting for it: later calls of this session find it released, and nothing is thrown. Does nothing if it
    /// was lost or released before. A release that fails, so that the lock may still be held, is raised as
    /// <see cref="CoordinationSession.ReleaseFailed"/>; <see cref="ReleaseAsync"/> waits and reports.
    /// </summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        // A fake has no session.
        if (_session is not null && TryLeave())
            _session.PostRelease(ToRelease(), this);
        return ValueTask.CompletedTask;
    }

    /// <summary>As <see cref="DisposeAsync"/>, which does not wait.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        // A fake may wait.
        Blocking.Wait(DisposeAsync());
    }

    void IPostedOperation.OnFailed(OrchestratorException error) => _session.OnReleaseFailed(ObjectName, error);

    /// <summary>The operation that releases it.</summary>
    internal Operation ToRelease() =>
        new() { ReleaseLock = new ReleaseLockRequest { Lock = Name, SessionId = _session.RequestSession } };

    /// <summary>From here on the caller releases it; false if it was lost or released before.</summary>
    internal bool TryLeave()
    {
        if (Interlocked.CompareExchange(ref _state, Released, Held) != Held)
            return false;
        _session.Untrack(this);
        return true;
    }

    internal void SetLost()
    {
        if (Interlocked.CompareExchange(ref _state, LostBefore, Held) == Held)
            _ = _lost.CancelAsync();
    }

    private LockLostException NotHeld(OrchestratorException? cause) => new(
        $"lock \"{Name}\" (fencing token {FencingToken}) is not held any more: its session ended or was not heard of in time", cause);
}
