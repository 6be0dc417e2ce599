using System.Runtime.CompilerServices;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>An event shared by every process that names it.</summary>
public class SharedEvent
{
    private readonly CoordinationSession _session;

    internal SharedEvent(CoordinationSession session, string name) => (_session, Name) = (session, name);

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    protected SharedEvent(string name)
        : this(null!, name)
    {
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Waits until the event is set; returns at once if it is.</summary>
    public virtual Task WaitAsync(CancellationToken cancellationToken = default) => Real().WaitAsync(null, cancellationToken);

    /// <summary>Waits for at most this long; returns whether the event was set.</summary>
    public virtual Task<bool> TryWaitAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Real().WaitAsync(timeout, cancellationToken);

    /// <summary>Sets the event, which wakes all waiters; returns whether it was set before.</summary>
    public virtual Task<bool> SetAsync(CancellationToken cancellationToken = default) => Real().ChangeAsync(true, cancellationToken);

    /// <summary>Clears the event; returns whether it was set before.</summary>
    public virtual Task<bool> ClearAsync(CancellationToken cancellationToken = default) => Real().ChangeAsync(false, cancellationToken);

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private SharedEvent Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_session, this, member);
        return this;
    }

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
