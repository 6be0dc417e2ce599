using Orchestrator.Core.Objects;
using Orchestrator.Core.Sessions;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Sync;

/// <summary>
/// A lock while it is held or waited for: one exclusive holder or any number of readers, and one line for all. Served strictly from the
/// front, so that neither readers nor writers starve.
/// </summary>
internal sealed class SyncLock(string name, LockMode mode) : NamedObject(ObjectKind.Lock, name)
{
    private Dictionary<Session, LockHold>? _readers;
    private LockHold? _owner;
    private WaitList? _waiters;

    public override bool HasWaiters => _waiters is { Count: > 0 };

    public bool IsIdle => _owner is null && _readers is not { Count: > 0 } && !HasWaiters;

    public WaitList Waiters => _waiters ??= new WaitList();

    public IEnumerable<LockHold> Holders => _owner is { } owner ? [owner] : _readers?.Values ?? (IEnumerable<LockHold>)[];

    /// <summary>What kind of lock it is, for messages; null when the mode is one of its own.</summary>
    public string? Contradicts(LockMode asked) => (mode, asked) switch
    {
        (LockMode.Read or LockMode.Write, LockMode.Read or LockMode.Write) => null,
        (LockMode.Read or LockMode.Write, _) => "READ and WRITE",
        _ when mode == asked => null,
        (LockMode.Reentrant, _) => "REENTRANT",
        _ => "PLAIN",
    };

    public LockHold? Find(Session session) =>
        _owner is { } owner ? (owner.Session == session ? owner : null) : _readers?.GetValueOrDefault(session);

    /// <summary>Whether the session may have it now: nobody waits ahead and those who hold it allow it. A reentrant owner passes the line.</summary>
    public bool CanEnter(Session? session, LockMode asked) =>
        HasWaiters ? asked == LockMode.Reentrant && session is not null && _owner?.Session == session : AllowedByHolders(session, asked);

    /// <summary>The first in line, if those who hold the lock allow it.</summary>
    public Wait? NextToServe() =>
        _waiters?.First is { } first && AllowedByHolders(first.Session, ((AcquireLock)first.Command).Mode) ? first : null;

    public void Enter(LockHold hold)
    {
        if (hold.IsRead)
            (_readers ??= []).Add(hold.Session, hold);
        else
            _owner = hold;
    }

    public void Leave(LockHold hold)
    {
        if (hold.IsRead)
            _readers!.Remove(hold.Session);
        else
            _owner = null;
    }

    /// <summary>
    /// A session that waits already for a reentrant lock gets it once, and counts the rest: further waits of its own stand behind its first,
    /// or they would wait for those who wait for it.
    /// </summary>
    public Wait? LastOwnWait(Session session)
    {
        Wait? last = null;
        for (var wait = session.FirstWait; mode == LockMode.Reentrant && wait is not null; wait = wait.SessionNext)
        {
            if (wait.Object == this)
                last = wait;
        }

        return last;
    }

    /// <summary>
    /// An exclusive wait needs all to be done that stand ahead of it, back to the next exclusive one, who needs the rest. A read needs the
    /// exclusive one ahead of it; other reads are let in together with it.
    /// </summary>
    public override void AddBlockers(Wait wait, Blockers blockers)
    {
        var isRead = IsRead(wait);
        for (var ahead = wait.Previous; ahead is not null; ahead = ahead.Previous)
        {
            if (IsRead(ahead))
            {
                if (!isRead)
                    blockers.AddNeeded(ahead.Session);
                continue;
            }

            if (mode == LockMode.Reentrant && ahead.Session == wait.Session)
                continue;
            blockers.AddNeeded(ahead.Session);
            return;
        }

        if (_owner is { } owner)
        {
            blockers.AddNeeded(owner.Session);
        }
        else if (!isRead && _readers is { } readers)
        {
            foreach (var reader in readers.Keys)
                blockers.AddNeeded(reader);
        }
    }

    public override void OnWaiterLeft(ObjectEngine engine, Wait wait) => engine.ServeLock(this);

    public override void OnHolderGone(ObjectEngine engine, Hold hold) => engine.ReleaseFully(this, (LockHold)hold);

    private static bool IsRead(Wait wait) => ((AcquireLock)wait.Command).Mode == LockMode.Read;

    private bool AllowedByHolders(Session? session, LockMode asked) => asked switch
    {
        LockMode.Read => _owner is null,
        LockMode.Reentrant when _owner is { } owner => session is not null && owner.Session == session,
        _ => _owner is null && _readers is not { Count: > 0 },
    };
}

/// <summary>A session's hold of a lock.</summary>
internal sealed class LockHold(Session session, SyncLock @lock, long since, ulong token, bool isRead) : Hold(session, @lock, since)
{
    public ulong Token => token;

    public bool IsRead => isRead;

    public int Depth { get; set; } = 1;
}
