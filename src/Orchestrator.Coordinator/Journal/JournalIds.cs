using Orchestrator.Coordinator.Journal.Wire;
using Orchestrator.Core.Common;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// The last issued id of each kind. The journal reserves ids ahead, so that none is ever issued twice, whatever a crash loses.
/// </summary>
internal readonly record struct JournalIds(ulong TaskId, ulong FencingToken, ulong EventSequence)
{
    // How many ids a run may issue without a write; the next block is reserved when half are used, long before they run out.
    public const ulong Ahead = 1_000_000_000;

    /// <summary>Reserves more ids of each kind.</summary>
    public static void Extend(Meta meta)
    {
        meta.TaskId += Ahead;
        meta.FencingToken += Ahead;
        meta.EventSequence += Ahead;
    }

    /// <summary>Reserves ids up to those issued and some ahead.</summary>
    public static void Reserve(JournalDatabase database, JournalIds used, ulong ahead)
    {
        var meta = new Meta(database.Meta)
        {
            TaskId = used.TaskId + ahead,
            FencingToken = used.FencingToken + ahead,
            EventSequence = used.EventSequence + ahead,
        };
        database.Commit([], Durability.Disk, () => database.Write(meta));
    }

    /// <summary>Whether more than half of the ids that are reserved ahead of one kind have been issued.</summary>
    public bool AreNearlyUsed(Meta reserved) =>
        TaskId + (Ahead / 2) > reserved.TaskId
        || FencingToken + (Ahead / 2) > reserved.FencingToken
        || EventSequence + (Ahead / 2) > reserved.EventSequence;
}
