using System.Runtime.CompilerServices;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A semaphore shared by every process that names it.</summary>
public class SharedSemaphore
{
    private readonly CoordinationSession _session;
    private readonly int? _initialPermits;
    private readonly bool _bounded;
    private readonly string _flow;

    internal SharedSemaphore(CoordinationSession session, string name, int? initialPermits, bool bounded, string flow = "")
    {
        _session = session;
        _flow = flow;
        _initialPermits = initialPermits;
        _bounded = bounded;
        Name = name;
    }

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    protected SharedSemaphore(string name)
        : this(null!, name, null, false)
    {
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Waits until the session has the permits, all at once.</summary>
    public virtual async Task<PermitHold> AcquireAsync(int permits = 1, CancellationToken cancellationToken = default) =>
        (await Real().AcquireAsync(permits, null, cancellationToken).ConfigureAwait(false))!;

    /// <summary>Waits for at most this long; null if the permits were not acquired. Zero makes one attempt.</summary>
    public virtual Task<PermitHold?> TryAcquireAsync(TimeSpan timeout, int permits = 1, CancellationToken cancellationToken = default) =>
        Real().AcquireAsync(permits, timeout, cancellationToken);

    /// <summary>Releases permits, or adds some if the semaphore is unbounded; returns the number then free.</summary>
    public virtual async Task<int> ReleaseAsync(int permits = 1, CancellationToken cancellationToken = default)
    {
        Real();
        return (await _session.SendAsync(ToRelease(permits), cancellationToken).ConfigureAwait(false)).ReleaseSemaphore.AvailablePermits;
    }

    /// <summary>The operation that releases permits.</summary>
    internal Operation ToRelease(int permits)
    {
        var request = new ReleaseSemaphoreRequest { Semaphore = Name, Permits = permits, SessionId = _session.RequestSession };
        // Only an unbounded semaphore can start with a release, its first signal.
        if (_initialPermits is { } initial && !_bounded)
            request.InitialPermits = initial;
        return new Operation { ReleaseSemaphore = request };
    }

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private SharedSemaphore Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_session, this, member);
        return this;
    }

    private async Task<PermitHold?> AcquireAsync(int permits, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new AcquireSemaphoreRequest
        {
            Semaphore = Name,
            Permits = permits,
            Bounded = _bounded,
            SessionId = _session.RequestSession,
            Flow = _flow
        };
        if (_initialPermits is { } initial)
            request.InitialPermits = initial;
        request.Timeout = TimeLimits.OrNone(timeout);
        var response = (await _session.SendAsync(new Operation { AcquireSemaphore = request }, cancellationToken)
            .ConfigureAwait(false)).AcquireSemaphore;
        return response.Status == WaitStatus.Ok ? new PermitHold(this, permits, _session) : null;
    }
}
