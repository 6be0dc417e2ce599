using System.Runtime.CompilerServices;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A barrier at which a number of parties meet.</summary>
public class SharedBarrier
{
    private readonly CoordinationSession _session;
    private readonly int _parties;

    internal SharedBarrier(CoordinationSession session, string name, int parties) => (_session, Name, _parties) = (session, name, parties);

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    protected SharedBarrier(string name)
        : this(null!, name, 0)
    {
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Waits until all parties have arrived; returns this party's index, 0 to parties − 1 in the order of arrival.</summary>
    /// <exception cref="OrchestratorException">With BROKEN_BARRIER and the cause, if a party left before.</exception>
    public virtual async Task<int> WaitAsync(CancellationToken cancellationToken = default) =>
        (await Real().WaitAsync(null, cancellationToken).ConfigureAwait(false))!.Value;

    /// <summary>Waits for at most this long; null if not all parties arrived, which breaks the barrier for the others.</summary>
    public virtual Task<int?> TryWaitAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Real().WaitAsync(timeout, cancellationToken);

    /// <summary>Breaks the barrier for present and future waiters, until it is reset; returns the number of waiters.</summary>
    public virtual Task<int> AbortAsync(CancellationToken cancellationToken = default) =>
        Real().ControlAsync(BarrierAction.Abort, cancellationToken);

    /// <summary>Resets the barrier; present waiters find it broken. Returns the number of waiters.</summary>
    public virtual Task<int> ResetAsync(CancellationToken cancellationToken = default) =>
        Real().ControlAsync(BarrierAction.Reset, cancellationToken);

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private SharedBarrier Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_session, this, member);
        return this;
    }

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
