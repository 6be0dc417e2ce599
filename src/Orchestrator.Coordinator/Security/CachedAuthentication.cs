namespace Orchestrator.Coordinator.Security;

/// <summary>The authentication result of a call: its caller and its client quota.</summary>
/// <param name="Authorization">The header, as it was sent; null for none.</param>
/// <param name="Version">The version of the tokens that were valid, see <see cref="TokenStore.Version"/>.</param>
/// <param name="Caller">The caller.</param>
/// <param name="Quota">The caller's client quota.</param>
internal sealed record CachedAuthentication(string? Authorization, long Version, Principal Caller, ClientQuota Quota);
