using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>Held permits of a semaphore. Disposing releases them, without waiting for that.</summary>
public class PermitHold : IAsyncDisposable, IDisposable, IPostedOperation
{
    private readonly SharedSemaphore _semaphore;
    private readonly CoordinationSession _session;
    private int _released;

    internal PermitHold(SharedSemaphore semaphore, int permits, CoordinationSession session)
    {
        _semaphore = semaphore;
        _session = session;
        Permits = permits;
    }

    /// <summary>For a fake, which overrides <see cref="DisposeAsync"/>.</summary>
    protected PermitHold(int permits = 1)
        : this(null!, permits, null!)
    {
    }

    /// <summary>The number of permits.</summary>
    public int Permits { get; }

    /// <summary>Releases the permits, and waits until they are released; does nothing if they were released before.</summary>
    /// <exception cref="SessionLostException">The session has ended, and they were released with it.</exception>
    /// <exception cref="OrchestratorException">It is not known whether they were released.</exception>
    public virtual async Task ReleaseAsync()
    {
        FakeMember.ThrowIfNull(_session, this, nameof(ReleaseAsync));
        if (Interlocked.Exchange(ref _released, 1) == 0)
            await _semaphore.ReleaseAsync(Permits).ConfigureAwait(false);
    }

    /// <summary>
    /// Releases the permits without waiting for it: later calls of this session find them released, and nothing is thrown. Does nothing if
    /// the session has ended or they were released before. A release that fails, so that they may still be held, is raised as
    /// <see cref="CoordinationSession.ReleaseFailed"/>; <see cref="ReleaseAsync"/> waits and reports.
    /// </summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        // A fake has no session.
        if (_session is not null && Interlocked.Exchange(ref _released, 1) == 0)
            _session.PostRelease(_semaphore.ToRelease(Permits), this);
        return ValueTask.CompletedTask;
    }

    /// <summary>As <see cref="DisposeAsync"/>, which does not wait.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        // A fake may wait.
        Blocking.Wait(DisposeAsync());
    }

    void IPostedOperation.OnFailed(OrchestratorException error) => _session.OnReleaseFailed($"semaphores/{_semaphore.Name}", error);
}
