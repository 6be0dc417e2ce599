using System.Collections.Concurrent;

namespace Orchestrator.Core.Sessions;

/// <summary>
/// A client of shared objects, as the engine accounts for it: its sessions and those of its tasks; the objects that it has made, whichever client fills them; its waits.
/// Written only under the engine's lock.
/// </summary>
/// <param name="name">For messages.</param>
/// <param name="credential">
/// Whose sessions and request ids are its own: several clients, such as the connections of one program, may have one credential. Empty for the owner of the coordinator.
/// </param>
public sealed class ClientObjectQuota(string name, string credential)
{
    /// <summary>For messages.</summary>
    public string Name => name;

    /// <summary>With what it came; empty for the owner of the coordinator.</summary>
    public string Credential => credential;

    /// <summary>Whether it may act for the attempts of tasks, as workers do.</summary>
    public bool ActsForTasks { get; init; }

    /// <summary>Its sessions that have not ended, those of its tasks' attempts included.</summary>
    public int Sessions { get; internal set; }

    /// <summary>The named objects that came into being by its requests.</summary>
    public int Objects { get; internal set; }

    /// <summary>Its commands that wait.</summary>
    public int Waits { get; internal set; }

    /// <summary>The bytes in its objects, and of its commands that wait.</summary>
    public long Bytes { get; internal set; }
}

/// <summary>The clients whose credentials are their own, by credential: also after a restart, for what they have left in the journal. Safe for any thread.</summary>
public sealed class ClientObjectQuotaRegistry
{
    private readonly ConcurrentDictionary<string, ClientObjectQuota> _clients = new();

    /// <summary>The client of a credential.</summary>
    public ClientObjectQuota Of(string credential) => _clients.GetOrAdd(credential, static name => new ClientObjectQuota(name, name));
}
