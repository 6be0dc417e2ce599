using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Security;

/// <summary>The caller that a credential identifies.</summary>
/// <param name="Name">The name in messages and client quotas: the token's id or the certificate's subject.</param>
/// <param name="Role">The caller's role; not used for workers.</param>
internal sealed record Principal(string Name, Role Role)
{
    /// <summary>When the credential expires; null for never.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The process that the credential was issued to; null for clients.</summary>
    public WorkerIdentity? Worker { get; init; }

    /// <summary>Whether a token of the data directory identified it.</summary>
    public bool IsFromToken { get; init; }

    /// <summary>Whether the caller is the coordinator's owner or, without authentication, any caller.</summary>
    public bool IsOwner { get; init; }

    /// <summary>
    /// Whether each connection counts as a separate client: several programs may share the credential, or the credential ends with its
    /// process, and a quota under its name would outlive it.
    /// </summary>
    public bool IsShared { get; init; }
}

/// <summary>The worker process that a token is bound to.</summary>
internal sealed class WorkerIdentity(long incarnation)
{
    /// <summary>Its incarnation; 0 is the coordinator's own process, for handlers that run in process.</summary>
    public long Incarnation => incarnation;

    /// <summary>The process group that the worker leads; 0 until it has been started.</summary>
    public int ProcessGroup { get; set; }

    /// <summary>Whether a connection comes from this worker or from a process that it started.</summary>
    public bool Owns(PeerProcess? peer) =>
        peer is not null && ProcessGroup != 0 && (peer.Pid == ProcessGroup || peer.ProcessGroup == ProcessGroup);
}
