using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Objects;

/// <summary>A page of the synchronization objects.</summary>
/// <param name="Objects">In the order of their names over all kinds.</param>
/// <param name="NextPageToken">Asks for the next page; empty when there is none.</param>
public sealed record SyncPage(IReadOnlyList<SyncInfo> Objects, string NextPageToken) : ObjectOutcome;

/// <summary>The holders and waiters of an object.</summary>
/// <param name="ObjectName">Such as <c>locks/build</c>.</param>
/// <param name="Description">Its state, for people, with the full numbers.</param>
/// <param name="Holders">The first holders, in the order of the grants.</param>
/// <param name="Waiters">The first waiters, in the order of service.</param>
public sealed record SyncInfo(string ObjectName, string Description, IReadOnlyList<SyncHolder> Holders, IReadOnlyList<SyncHolder> Waiters);

/// <summary>A holder or waiter.</summary>
/// <param name="Session">Its session, which names the task; null for a wait without one.</param>
/// <param name="Age">How long it has held or waited.</param>
/// <param name="FencingToken">The token of a lock's hold; otherwise 0.</param>
public readonly record struct SyncHolder(Session? Session, TimeSpan Age, ulong FencingToken);
