using Orchestrator.Core.Objects;
using Orchestrator.Core.Sessions;

namespace Orchestrator.Core.Sync;

/// <summary>A page of the synchronization objects.</summary>
/// <param name="Objects">In the order of their names over all kinds.</param>
/// <param name="NextPageToken">Asks for the next page; empty when there is none.</param>
public sealed record SyncPage(IReadOnlyList<SyncInfo> Objects, string NextPageToken) : ObjectOutcome;

/// <summary>Who holds an object and who waits for it.</summary>
/// <param name="ObjectName">Such as <c>locks/build</c>.</param>
/// <param name="Description">What its state is, for people, with the full numbers.</param>
/// <param name="Holders">The first of those who hold it, in the order of the grants.</param>
/// <param name="Waiters">The first of those who wait, in the order of service.</param>
public sealed record SyncInfo(string ObjectName, string Description, IReadOnlyList<SyncHolder> Holders, IReadOnlyList<SyncHolder> Waiters);

/// <summary>One who holds or waits.</summary>
/// <param name="Session">Its session, which names the task; null where it waits without one.</param>
/// <param name="Age">How long already.</param>
/// <param name="FencingToken">The token of a lock's hold; otherwise 0.</param>
public readonly record struct SyncHolder(Session? Session, TimeSpan Age, ulong FencingToken);
