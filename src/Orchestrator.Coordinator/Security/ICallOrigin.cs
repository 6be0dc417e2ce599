using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.Coordinator.Security;

/// <summary>What a transport knows of a call before it is admitted.</summary>
internal interface ICallOrigin
{
    /// <summary>The credential as it was sent, such as <c>Bearer …</c>; null for none.</summary>
    string? Authorization { get; }

    /// <summary>The connection's cache; null if it has none.</summary>
    ConnectionAuthenticationCache? Connection { get; }

    /// <summary>What is kept of the connection; null if nothing can be.</summary>
    IDictionary<object, object?>? ConnectionItems { get; }

    /// <summary>Tells this client from others with the same credential.</summary>
    string ConnectionId { get; }

    /// <summary>The certificate that the client has shown, verified; null for none.</summary>
    X509Certificate2? Certificate { get; }

    /// <summary>Whether the caller is on this machine. A request through a proxy may come from any machine.</summary>
    bool IsOnThisMachine { get; }
}
