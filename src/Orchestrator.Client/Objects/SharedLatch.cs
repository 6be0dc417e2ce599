using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A latch that counts down to zero.</summary>
public class SharedLatch
{
    private readonly CoordinationSession _session;
    private readonly long _count;

    internal SharedLatch(CoordinationSession session, string name, long count) => (_session, Name, _count) = (session, name, count);

    /// <summary>For a fake.</summary>
    protected SharedLatch(string name)
        : this(null!, name, 0)
    {
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Waits until the count is zero.</summary>
    public virtual Task WaitAsync(CancellationToken cancellationToken = default) => WaitAsync(null, cancellationToken);

    /// <summary>Waits for at most this long; returns whether the count is zero.</summary>
    public virtual Task<bool> TryWaitAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        WaitAsync(timeout, cancellationToken);

    /// <summary>Counts down; returns the remaining count.</summary>
    public virtual async Task<long> CountDownAsync(long by = 1, CancellationToken cancellationToken = default) =>
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
