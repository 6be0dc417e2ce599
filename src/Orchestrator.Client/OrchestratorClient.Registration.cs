using Orchestrator.Client.Connection;

namespace Orchestrator.Client;

/// <content>Clients that a host creates.</content>
public sealed partial class OrchestratorClient
{
    /// <summary>A client that connects with its first call; the address is looked up now.</summary>
    internal static OrchestratorClient Open(OrchestratorClientOptions options) => new(CoordinatorEndpoint.Locate(options), options);
}
