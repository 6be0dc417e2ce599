namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>The bounds of one stream.</summary>
/// <param name="CreditsPerStream">The maximum number of unfinished or unread tasks.</param>
/// <param name="CreditBytesPerStream">The maximum number of bytes of their inputs.</param>
internal sealed record StreamLimits(int CreditsPerStream, long CreditBytesPerStream);
