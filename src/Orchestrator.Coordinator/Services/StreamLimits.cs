namespace Orchestrator.Coordinator.Services;

/// <summary>The bounds of one stream.</summary>
/// <param name="CreditsPerStream">Tasks that may be unfinished or unread.</param>
/// <param name="CreditBytesPerStream">Bytes of their inputs.</param>
internal sealed record StreamLimits(int CreditsPerStream, long CreditBytesPerStream);
