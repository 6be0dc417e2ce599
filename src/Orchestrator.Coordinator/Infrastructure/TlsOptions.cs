namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>TLS of both ports. Files are PEM, and are read again when they change.</summary>
/// <param name="Certificate">The certificate, followed by the intermediate ones if any.</param>
/// <param name="Key">Its private key, without a password.</param>
/// <param name="ClientCa">
/// The authorities for client certificates. If set, the gRPC port accepts only clients with such a certificate, which is also their
/// credential unless they send a token.
/// </param>
/// <param name="ClientRole">The role of a client certificate.</param>
public sealed record TlsOptions(string Certificate, string Key, string? ClientCa = null, Role ClientRole = Role.Submit);
