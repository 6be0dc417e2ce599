using System.Collections.Concurrent;
using System.Globalization;
using Orchestrator.Coordinator.Security;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>A process that has connected.</summary>
internal sealed class LocalPeer
{
    public LocalPeer(PeerProcess process, long number)
    {
        Process = process;
        Id = string.Create(CultureInfo.InvariantCulture, $"local-{process.Pid}-{number}");
        Items[typeof(PeerProcess)] = process;
    }

    public PeerProcess Process { get; }

    /// <summary>Tells it from an earlier process of the same number.</summary>
    public string Id { get; }

    /// <summary>What is kept of it while it has a connection.</summary>
    public ConcurrentDictionary<object, object?> Items { get; } = new();

    /// <summary>Its open connections; guarded by the owner of this object.</summary>
    public int Connections { get; set; }
}
