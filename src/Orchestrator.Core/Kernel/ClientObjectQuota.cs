using System.Collections.Concurrent;

namespace Orchestrator.Core.Kernel;

/// <summary>
/// A client's use of shared objects: its sessions and those of its tasks; the objects that it has created, whichever client fills them; its
/// waits. Written only under the engine's lock.
/// </summary>
/// <param name="name">For messages.</param>
/// <param name="credential">
/// The credential that owns its sessions and request ids: several clients, such as the connections of one program, may share one. Empty for
/// the owner of the coordinator.
/// </param>
public sealed class ClientObjectQuota(string name, string credential)
{
    /// <summary>For messages.</summary>
    public string Name => name;

    /// <summary>The credential that it presented; empty for the owner of the coordinator.</summary>
    public string Credential => credential;

    /// <summary>Whether it may act for the attempts of tasks, as workers do.</summary>
    public bool ActsForTasks { get; init; }

    /// <summary>Its sessions that have not ended, those of its tasks' attempts included.</summary>
    public int Sessions { get; internal set; }

    /// <summary>The named objects that its requests created.</summary>
    public int Objects { get; internal set; }

    /// <summary>Its commands that wait.</summary>
    public int Waits { get; internal set; }

    /// <summary>The bytes in its objects, and of its commands that wait.</summary>
    public long Bytes { get; internal set; }
}

/// <summary>
/// The clients with credentials of their own, by credential: also after a restart, for the objects that they have left in the
/// journal. Thread-safe.
/// </summary>
public sealed class ClientObjectQuotaRegistry
{
    private readonly ConcurrentDictionary<string, ClientObjectQuota> _clients = new();

    /// <summary>The client of a credential.</summary>
    public ClientObjectQuota Of(string credential) => _clients.GetOrAdd(credential, static name => new ClientObjectQuota(name, name));

    /// <summary>The owner of a restored object; null for the coordinator's owner, who has no credential.</summary>
    internal ClientObjectQuota? OwnerOf(string credential) => credential.Length == 0 ? null : Of(credential);
}
