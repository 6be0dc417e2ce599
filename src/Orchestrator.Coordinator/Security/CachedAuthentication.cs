namespace Orchestrator.Coordinator.Security;

/// <summary>What the door found out about a call: who makes it, and on whose account.</summary>
/// <param name="Authorization">The header, as it was sent; null for none.</param>
/// <param name="Version">The tokens that were valid, see <see cref="TokenStore.Version"/>.</param>
/// <param name="Caller">Who it is.</param>
/// <param name="Account">What that one has open.</param>
internal sealed record CachedAuthentication(string? Authorization, long Version, Principal Caller, ClientQuota Account);
