using System.Runtime.CompilerServices;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A latch that counts down to zero.</summary>
public class SharedLatch
{
    private readonly CoordinationSession _session;
    private readonly long _count;

    internal SharedLatch(CoordinationSession session, string name, long count) => (_session, Name, _count) = (session, name, count);

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    protected SharedLatch(string name)
        : this(null!, name, 0)
    {
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Waits until the count is zero.</summary>
    public virtual Task WaitAsync(CancellationToken cancellationToken = default) => Real().WaitAsync(null, cancellationToken);

    /// <summary>Waits for at most this long; returns whether the count is zero.</summary>
    public virtual Task<bool> TryWaitAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Real().WaitAsync(timeout, cancellationToken);

    /// <summary>Counts down; returns the remaining count.</summary>
    public virtual async Task<long> CountDownAsync(long by = 1, CancellationToken cancellationToken = default) =>
        (await Real()._session.SendAsync(
            new Operation { CountDownLatch = new CountDownLatchRequest { Latch = Name, Count = _count, By = by } },
            cancellationToken).ConfigureAwait(false)).CountDownLatch.Remaining;

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private SharedLatch Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_session, this, member);
        return this;
    }

    private async Task<bool> WaitAsync(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new WaitLatchRequest { Latch = Name, Count = _count, SessionId = _session.RequestSession };
        request.Timeout = TimeLimits.OrNone(timeout);
        return (await _session.SendAsync(new Operation { WaitLatch = request }, cancellationToken)
            .ConfigureAwait(false)).WaitLatch.Status == WaitStatus.Ok;
    }
}
