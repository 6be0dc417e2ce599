using System.Diagnostics.Metrics;

namespace Orchestrator.Coordinator.Security;

/// <summary>The counters of the authorization layer.</summary>
internal sealed class SecurityInstruments
{
    private readonly Counter<long> _refused;

    public SecurityInstruments(IMeterFactory meters) =>
        _refused = meters.Create("Orchestrator.Security").CreateCounter<long>(
            "orchestrator.security.refused", "{call}",
            "Calls without a credential, or with one that is wrong, expired or another's, and connections of other users to the socket");

    /// <summary>Calls refused since the start, counted even without a meter listener.</summary>
    public long RefusedCalls => Interlocked.Read(ref _count);

    private long _count;

    public void Refused()
    {
        Interlocked.Increment(ref _count);
        _refused.Add(1);
    }
}
