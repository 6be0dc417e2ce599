namespace Orchestrator.Client.Connection;

/// <summary>Where a coordinator serves the local transport.</summary>
/// <param name="Socket">The path of its socket.</param>
/// <param name="Connections">The most connections of one process.</param>
internal sealed record LocalTransportAddress(string Socket, int Connections);
