namespace Orchestrator.Core.Sessions;

/// <summary>The sessions that one client has created, which are bounded. Written only under the engine's lock.</summary>
/// <param name="name">The client, for messages.</param>
public sealed class SessionQuota(string name)
{
    /// <summary>The client, for messages.</summary>
    public string Name => name;

    /// <summary>Its sessions that have not ended.</summary>
    public int Count { get; internal set; }
}
