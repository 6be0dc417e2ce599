namespace Orchestrator.Coordinator.Security;

/// <summary>Who calls, by the credential.</summary>
/// <param name="Name">For messages and accounts: the token's id or the certificate's subject.</param>
/// <param name="Role">What it may do; of no meaning for a worker.</param>
internal sealed record Principal(string Name, Role Role)
{
    /// <summary>When the credential ends; null is never.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The process that the credential was made for; null for clients.</summary>
    public WorkerIdentity? Worker { get; init; }

    /// <summary>Whether it is the coordinator's owner, or, without authentication, anybody.</summary>
    public bool IsOwner { get; init; }

    /// <summary>
    /// Whether each connection counts as a client of its own: several programs may well share the credential, or it lives no longer than its process, and an
    /// account by its name would outlive it.
    /// </summary>
    public bool IsShared { get; init; }
}

/// <summary>A worker process, as its token is bound to it.</summary>
internal sealed class WorkerIdentity(long incarnation)
{
    /// <summary>Its incarnation; 0 is the coordinator's own process, for handlers that run in process.</summary>
    public long Incarnation => incarnation;

    /// <summary>Its process group, which is led by it; 0 until it has been started.</summary>
    public int ProcessGroup { get; set; }

    /// <summary>Whether a connection comes from this worker, or from what it has started itself.</summary>
    public bool Owns(PeerProcess? peer) =>
        peer is not null && ProcessGroup != 0 && (peer.Pid == ProcessGroup || peer.ProcessGroup == ProcessGroup);
}
