using System.Security.Cryptography.X509Certificates;
using Orchestrator.Coordinator.Security;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>The origin of a call over the local transport.</summary>
/// <param name="authorization">The credential of the call.</param>
/// <param name="connection">Its connection.</param>
internal readonly struct LocalCallOrigin(string? authorization, LocalConnection connection) : ICallOrigin
{
    public string? Authorization => authorization;

    public ConnectionAuthenticationCache? Connection => connection.Cache;

    // Shared by the connections of a process: a call takes a connection of its own here, and a process is one client.
    public IDictionary<object, object?>? ConnectionItems => connection.Peer.Items;

    public string ConnectionId => connection.Peer.Id;

    public X509Certificate2? Certificate => null;

    public bool IsOnThisMachine => true;
}
