using System.Runtime.CompilerServices;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A condition that belongs to a lock. Both calls need the lock.</summary>
public class SharedCondition
{
    private readonly CoordinationSession _session;
    private readonly string _lock;
    private readonly string _flow;

    internal SharedCondition(CoordinationSession session, string name, string lockName, string flow = "") =>
        (_session, Name, _lock, _flow) = (session, name, lockName, flow);

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    protected SharedCondition(string name)
        : this(null!, name, "")
    {
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Releases the lock, waits to be notified, and reacquires the lock before returning.</summary>
    public virtual Task WaitAsync(CancellationToken cancellationToken = default) => Real().WaitAsync(null, cancellationToken);

    /// <summary>
    /// As <see cref="WaitAsync(CancellationToken)"/> for at most this long; returns whether it was notified. The lock is reacquired in
    /// either case.
    /// </summary>
    public virtual Task<bool> TryWaitAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Real().WaitAsync(timeout, cancellationToken);

    /// <summary>Wakes up to this many waiters; −1 wakes all. Returns the number woken.</summary>
    public virtual async Task<int> NotifyAsync(int count = 1, CancellationToken cancellationToken = default) =>
        (await Real()._session.SendAsync(
            new Operation
            {
                NotifyCondition =
                    new NotifyConditionRequest { Condition = Name, Lock = _lock, Count = count, SessionId = _session.RequestSession },
            },
            cancellationToken).ConfigureAwait(false)).NotifyCondition.Notified;

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private SharedCondition Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_session, this, member);
        return this;
    }

    private async Task<bool> WaitAsync(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new WaitConditionRequest { Condition = Name, Lock = _lock, SessionId = _session.RequestSession, Flow = _flow };
        request.Timeout = TimeLimits.OrNone(timeout);
        return (await _session.SendAsync(
            new Operation { WaitCondition = request }, cancellationToken).ConfigureAwait(false)).WaitCondition.Status == WaitStatus.Ok;
    }
}
