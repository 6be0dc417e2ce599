namespace Orchestrator.Coordinator.Security;

/// <summary>TLS of both ports. Files are PEM, and are read again when they change.</summary>
/// <param name="Certificate">The certificate, followed by the intermediate ones if any.</param>
/// <param name="Key">Its private key, without a password.</param>
/// <param name="ClientCa">
/// The authorities of client certificates. With it the gRPC port takes only clients that have one, which also is their credential unless they send a token.
/// </param>
/// <param name="ClientRole">What such a certificate allows.</param>
public sealed record TlsOptions(string Certificate, string Key, string? ClientCa = null, Role ClientRole = Role.Submit);
