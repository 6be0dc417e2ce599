using Orchestrator.Core.Objects;
using Orchestrator.Core.Sessions;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Sync;

/// <summary>
/// A lock while it is held or waited for: one exclusive holder or any number of readers, and one line for all. Served strictly from the
/// front, so that neither readers nor writers starve.
/// </summary>
internal sealed class LockState(string name, LockMode mode) : NamedObject(ObjectKind.Lock, name)
{
    private Dictionary<Session, LockHold>? _readers;
    private LockHold? _owner;
    private WaiterQueue? _waiters;

    /// <summary>Also those who wait at a condition of this lock: they need it back before they are done.</summary>
    public override bool HasWaiters => HasLine || Conditions > 0;

    public override WaiterQueue? Waiters => _waiters;

    public override IEnumerable<Hold> Holds => Holders;

    /// <summary>How many conditions belong to it at present.</summary>
    public int Conditions { get; set; }

    /// <summary>The mode in which one holds it alone.</summary>
    public LockMode ExclusiveMode => mode == LockMode.Read ? LockMode.Write : mode;

    public bool IsIdle => _owner is null && _readers is not { Count: > 0 } && !HasWaiters;

    public WaiterQueue WaitersOrNew => _waiters ??= new WaiterQueue();

    private bool HasLine => _waiters is { Count: > 0 };

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
        HasLine ? asked == LockMode.Reentrant && session is not null && _owner?.Session == session : AllowedByHolders(session, asked);

    /// <summary>The first in line, if those who hold the lock allow it.</summary>
    public Wait? NextToServe() =>
        _waiters?.First is { } first && AllowedByHolders(first.Session, ModeOf(first)) ? first : null;

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
    public override void AddBlockers(Wait wait, Blockers blockers) => AddBlockers(wait, wait.Previous, blockers);

    /// <summary>
    /// Whom a wait needs behind these in the line. One that returns from a condition does not need its own session: the session had
    /// given up the lock when it began to wait, so whatever it has of the lock now it took beside that wait and gives back beside it.
    /// </summary>
    public void AddBlockers(Wait wait, Wait? ahead, Blockers blockers)
    {
        var isRead = IsRead(wait);
        var passesOwn = wait.Command is WaitCondition || mode == LockMode.Reentrant;
        Session? next = null;
        for (; ahead is not null; ahead = ahead.Previous)
        {
            if (IsRead(ahead))
            {
                if (!isRead)
                    blockers.AddNeeded(ahead);
                continue;
            }

            if (ahead.Session == wait.Session)
            {
                if (!passesOwn)
                    blockers.AddNeeded(ahead);
                continue;
            }

            // The next exclusive one needs the rest, except what is its own session's: the graph need not follow it there.
            next ??= ahead.Session;
            if (ahead.Session != next)
                break;
            blockers.AddNeeded(ahead);
        }

        var isLast = ahead is null && next is null;
        if (_owner is { } owner)
        {
            if ((isLast || WaitsHere(owner.Session)) && (wait.Command is not WaitCondition || owner.Session != wait.Session))
                blockers.AddNeeded(owner.Flow);
        }
        else if (!isRead && _readers is { } readers)
        {
            foreach (var reader in readers.Values)
            {
                if (isLast || WaitsHere(reader.Session))
                    blockers.AddNeeded(reader.Flow);
            }
        }
    }

    public override bool IsWaitedFor(Wait wait) => wait.Next is not null || Conditions > 0;

    public override void OnWaiterLeft(ObjectEngine engine, Wait wait)
    {
        engine.ServeLock(this);
        if (wait.Progress is ConditionReturn unused)
            engine.RawNotification(unused);
    }

    public override void OnHolderGone(ObjectEngine engine, Hold hold) => engine.ReleaseFully(this, (LockHold)hold);

    public override string Describe()
    {
        var kind = mode switch { LockMode.Plain => "PLAIN", LockMode.Reentrant => "REENTRANT", _ => "READ and WRITE" };
        var held = (_owner, _readers) switch
        {
            ({ Depth: > 1 } owner, _) => $"held {owner.Depth} times",
            ({ } owner, _) => mode == ExclusiveMode && mode != LockMode.Write ? "held" : "held by a writer",
            (null, { Count: > 0 } readers) => $"held by {readers.Count} readers",
            _ => "free",
        };
        return $"{kind}, {held}, {_waiters?.Count ?? 0} waiting";
    }

    /// <summary>How this wait is going to hold it.</summary>
    public LockMode ModeOf(Wait wait) => wait.Command is AcquireLock acquire ? acquire.Mode : ExclusiveMode;

    private bool WaitsHere(Session session)
    {
        for (var wait = session.FirstWait; wait is not null; wait = wait.SessionNext)
        {
            if (wait.Object == this)
                return true;
        }

        return false;
    }

    private bool IsRead(Wait wait) => ModeOf(wait) == LockMode.Read;

    private bool AllowedByHolders(Session? session, LockMode asked) => asked switch
    {
        LockMode.Read => _owner is null,
        LockMode.Reentrant when _owner is { } owner => session is not null && owner.Session == session,
        _ => _owner is null && _readers is not { Count: > 0 },
    };
}

/// <summary>A session's hold of a lock.</summary>
internal sealed class LockHold(Session session, LockState @lock, string flow, long since, ulong token, bool isRead) : Hold(session, @lock, flow, since)
{
    public override ulong Token => token;

    public bool IsRead => isRead;

    public int Depth { get; set; } = 1;
}
