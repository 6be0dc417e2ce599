using System.Runtime.CompilerServices;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A rate limiter that counts over all processes.</summary>
public class SharedRateLimiter
{
    private readonly CoordinationSession _session;

    internal SharedRateLimiter(CoordinationSession session, string name) => (_session, Name) = (session, name);

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    protected SharedRateLimiter(string name)
        : this(null!, name)
    {
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Waits in FIFO order until the permits are available.</summary>
    public virtual Task AcquireAsync(long permits = 1, CancellationToken cancellationToken = default) =>
        Real().AcquireAsync(permits, null, cancellationToken);

    /// <summary>Waits for at most this long. Null if the permits were taken; otherwise the earliest time until they could be.</summary>
    public virtual Task<TimeSpan?> TryAcquireAsync(TimeSpan timeout, long permits = 1, CancellationToken cancellationToken = default) =>
        Real().AcquireAsync(permits, timeout, cancellationToken);

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private SharedRateLimiter Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_session, this, member);
        return this;
    }

    private async Task<TimeSpan?> AcquireAsync(long permits, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new AcquirePermitsRequest { RateLimiter = Name, Permits = permits, SessionId = _session.RequestSession };
        request.Timeout = TimeLimits.OrNone(timeout);
        var response = (await _session.SendAsync(new Operation { AcquirePermits = request }, cancellationToken)
            .ConfigureAwait(false)).AcquirePermits;
        return response.Status == WaitStatus.Ok ? null : response.RetryAfter?.ToTimeSpan() ?? TimeSpan.Zero;
    }
}
