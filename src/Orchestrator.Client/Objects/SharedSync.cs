using Orchestrator.Client.Errors;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A semaphore shared by every process that names it.</summary>
public sealed class SharedSemaphore
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

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Waits until the session has the permits, all at once.</summary>
    public async Task<PermitHold> AcquireAsync(int permits = 1, CancellationToken cancellationToken = default) =>
        (await AcquireAsync(permits, null, cancellationToken).ConfigureAwait(false))!;

    /// <summary>Waits for at most this long; null if the permits were not acquired. Zero makes one attempt.</summary>
    public Task<PermitHold?> TryAcquireAsync(TimeSpan timeout, int permits = 1, CancellationToken cancellationToken = default) =>
        AcquireAsync(permits, timeout, cancellationToken);

    /// <summary>Releases permits, or adds some if the semaphore is unbounded; returns the number then free.</summary>
    public async Task<int> ReleaseAsync(int permits = 1, CancellationToken cancellationToken = default)
    {
        var request = new ReleaseSemaphoreRequest { Semaphore = Name, Permits = permits, SessionId = _session.RequestSession };
        // Only an unbounded semaphore can start with a release, its first signal.
        if (_initialPermits is { } initial && !_bounded)
            request.InitialPermits = initial;
        return (await _session.SendAsync(
            new Operation { ReleaseSemaphore = request }, cancellationToken).ConfigureAwait(false)).ReleaseSemaphore.AvailablePermits;
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

/// <summary>Held permits of a semaphore. Disposing releases them.</summary>
public sealed class PermitHold : IAsyncDisposable
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

    /// <summary>The number of permits.</summary>
    public int Permits { get; }

    /// <summary>Releases the permits; does nothing if the session has ended or they were released before.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _released, 1) != 0)
            return;
        try
        {
            await _semaphore.ReleaseAsync(Permits).ConfigureAwait(false);
        }
        catch (OrchestratorException exception) when (exception is SessionLostException || _session.HasEnded)
        {
            // The permits were released with the session.
        }
    }
}

/// <summary>An event shared by every process that names it.</summary>
public sealed class SharedEvent
{
    private readonly CoordinationSession _session;

    internal SharedEvent(CoordinationSession session, string name) => (_session, Name) = (session, name);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Waits until the event is set; returns at once if it is.</summary>
    public Task WaitAsync(CancellationToken cancellationToken = default) => WaitAsync(null, cancellationToken);

    /// <summary>Waits for at most this long; returns whether the event was set.</summary>
    public Task<bool> TryWaitAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        WaitAsync(timeout, cancellationToken);

    /// <summary>Sets the event, which wakes all waiters; returns whether it was set before.</summary>
    public Task<bool> SetAsync(CancellationToken cancellationToken = default) => ChangeAsync(true, cancellationToken);

    /// <summary>Clears the event; returns whether it was set before.</summary>
    public Task<bool> ClearAsync(CancellationToken cancellationToken = default) => ChangeAsync(false, cancellationToken);

    private async Task<bool> WaitAsync(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new WaitEventRequest { Event = Name, SessionId = _session.RequestSession };
        request.Timeout = TimeLimits.OrNone(timeout);
        return (await _session.SendAsync(new Operation { WaitEvent = request }, cancellationToken)
            .ConfigureAwait(false)).WaitEvent.Status == WaitStatus.Ok;
    }

    private async Task<bool> ChangeAsync(bool set, CancellationToken cancellationToken) =>
        (await _session.SendAsync(
            new Operation { SetEvent = new SetEventRequest { Event = Name, Set = set } }, cancellationToken)
                .ConfigureAwait(false)).SetEvent.WasSet;
}

/// <summary>A condition that belongs to a lock. Both calls need the lock.</summary>
public sealed class SharedCondition
{
    private readonly CoordinationSession _session;
    private readonly string _lock;
    private readonly string _flow;

    internal SharedCondition(CoordinationSession session, string name, string lockName, string flow = "") =>
        (_session, Name, _lock, _flow) = (session, name, lockName, flow);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Releases the lock, waits to be notified, and reacquires the lock before returning.</summary>
    public Task WaitAsync(CancellationToken cancellationToken = default) => WaitAsync(null, cancellationToken);

    /// <summary>
    /// As <see cref="WaitAsync(CancellationToken)"/> for at most this long; returns whether it was notified. The lock is reacquired in
    /// either case.
    /// </summary>
    public Task<bool> TryWaitAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        WaitAsync(timeout, cancellationToken);

    /// <summary>Wakes up to this many waiters; −1 wakes all. Returns the number woken.</summary>
    public async Task<int> NotifyAsync(int count = 1, CancellationToken cancellationToken = default) =>
        (await _session.SendAsync(
            new Operation
            {
                NotifyCondition =
                    new NotifyConditionRequest { Condition = Name, Lock = _lock, Count = count, SessionId = _session.RequestSession },
            },
            cancellationToken).ConfigureAwait(false)).NotifyCondition.Notified;

    private async Task<bool> WaitAsync(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new WaitConditionRequest { Condition = Name, Lock = _lock, SessionId = _session.RequestSession, Flow = _flow };
        request.Timeout = TimeLimits.OrNone(timeout);
        return (await _session.SendAsync(
            new Operation { WaitCondition = request }, cancellationToken).ConfigureAwait(false)).WaitCondition.Status == WaitStatus.Ok;
    }
}

/// <summary>A barrier at which a number of parties meet.</summary>
public sealed class SharedBarrier
{
    private readonly CoordinationSession _session;
    private readonly int _parties;

    internal SharedBarrier(CoordinationSession session, string name, int parties) => (_session, Name, _parties) = (session, name, parties);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Waits until all parties have arrived; returns this party's index, 0 to parties − 1 in the order of arrival.</summary>
    /// <exception cref="OrchestratorException">With BROKEN_BARRIER and the cause, if a party left before.</exception>
    public async Task<int> WaitAsync(CancellationToken cancellationToken = default) =>
        (await WaitAsync(null, cancellationToken).ConfigureAwait(false))!.Value;

    /// <summary>Waits for at most this long; null if not all parties arrived, which breaks the barrier for the others.</summary>
    public Task<int?> TryWaitAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        WaitAsync(timeout, cancellationToken);

    /// <summary>Breaks the barrier for present and future waiters, until it is reset; returns the number of waiters.</summary>
    public Task<int> AbortAsync(CancellationToken cancellationToken = default) => ControlAsync(BarrierAction.Abort, cancellationToken);

    /// <summary>Resets the barrier; present waiters find it broken. Returns the number of waiters.</summary>
    public Task<int> ResetAsync(CancellationToken cancellationToken = default) => ControlAsync(BarrierAction.Reset, cancellationToken);

    private async Task<int> ControlAsync(BarrierAction action, CancellationToken cancellationToken) =>
        (await _session.Services.Errors.CallAsync(_session.Services.Sync.ControlBarrierAsync(
            new ControlBarrierRequest { Barrier = Name, Action = action }, cancellationToken: cancellationToken))
                .ConfigureAwait(false)).Waiting;

    private async Task<int?> WaitAsync(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new WaitBarrierRequest { Barrier = Name, Parties = _parties, SessionId = _session.RequestSession };
        request.Timeout = TimeLimits.OrNone(timeout);
        var response = (await _session.SendAsync(new Operation { WaitBarrier = request }, cancellationToken)
            .ConfigureAwait(false)).WaitBarrier;
        return response.Status == WaitStatus.Ok ? response.Index : null;
    }
}

/// <summary>A latch that counts down to zero.</summary>
public sealed class SharedLatch
{
    private readonly CoordinationSession _session;
    private readonly long _count;

    internal SharedLatch(CoordinationSession session, string name, long count) => (_session, Name, _count) = (session, name, count);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Waits until the count is zero.</summary>
    public Task WaitAsync(CancellationToken cancellationToken = default) => WaitAsync(null, cancellationToken);

    /// <summary>Waits for at most this long; returns whether the count is zero.</summary>
    public Task<bool> TryWaitAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        WaitAsync(timeout, cancellationToken);

    /// <summary>Counts down; returns the remaining count.</summary>
    public async Task<long> CountDownAsync(long by = 1, CancellationToken cancellationToken = default) =>
        (await _session.SendAsync(
            new Operation { CountDownLatch = new CountDownLatchRequest { Latch = Name, Count = _count, By = by } },
            cancellationToken).ConfigureAwait(false)).CountDownLatch.Remaining;

    private async Task<bool> WaitAsync(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new WaitLatchRequest { Latch = Name, Count = _count, SessionId = _session.RequestSession };
        request.Timeout = TimeLimits.OrNone(timeout);
        return (await _session.SendAsync(new Operation { WaitLatch = request }, cancellationToken)
            .ConfigureAwait(false)).WaitLatch.Status == WaitStatus.Ok;
    }
}

/// <summary>A rate limiter that counts over all processes.</summary>
public sealed class SharedRateLimiter
{
    private readonly CoordinationSession _session;

    internal SharedRateLimiter(CoordinationSession session, string name) => (_session, Name) = (session, name);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Waits in FIFO order until the permits are available.</summary>
    public Task AcquireAsync(long permits = 1, CancellationToken cancellationToken = default) =>
        AcquireAsync(permits, null, cancellationToken);

    /// <summary>Waits for at most this long. Null if the permits were taken; otherwise the earliest time until they could be.</summary>
    public Task<TimeSpan?> TryAcquireAsync(TimeSpan timeout, long permits = 1, CancellationToken cancellationToken = default) =>
        AcquireAsync(permits, timeout, cancellationToken);

    private async Task<TimeSpan?> AcquireAsync(long permits, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new AcquirePermitsRequest { RateLimiter = Name, Permits = permits, SessionId = _session.RequestSession };
        request.Timeout = TimeLimits.OrNone(timeout);
        var response = (await _session.SendAsync(new Operation { AcquirePermits = request }, cancellationToken)
            .ConfigureAwait(false)).AcquirePermits;
        return response.Status == WaitStatus.Ok ? null : response.RetryAfter?.ToTimeSpan() ?? TimeSpan.Zero;
    }
}
