using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Locks;

/// <summary>
/// A lock while it is held or waited for: one exclusive holder or any number of readers, and one queue for all. Served strictly from the
/// front, so that neither readers nor writers starve.
/// </summary>
internal sealed class LockState(string name, LockMode mode) : NamedObject(ObjectKind.Lock, name)
{
    private Dictionary<Session, LockHold>? _readers;
    private LockHold? _owner;
    private WaiterQueue? _waiters;

    /// <summary>Includes the waits at a condition of this lock: they need the lock back before they are done.</summary>
    public override bool HasWaiters => HasLine || Conditions > 0;

    public override WaiterQueue? Waiters => _waiters;

    public override IEnumerable<Hold> Holds => Holders;

    /// <summary>How many conditions belong to it at present.</summary>
    public int Conditions { get; set; }

    /// <summary>The mode of an exclusive hold.</summary>
    public LockMode ExclusiveMode => mode == LockMode.Read ? LockMode.Write : mode;

    public bool IsIdle => _owner is null && _readers is not { Count: > 0 } && !HasWaiters;

    public WaiterQueue WaitersOrNew => _waiters ??= new WaiterQueue();

    private bool HasLine => _waiters is { Count: > 0 };

    public IEnumerable<LockHold> Holders => _owner is { } owner ? [owner] : _readers?.Values ?? (IEnumerable<LockHold>)[];

    /// <summary>The lock's kind, for messages, if the mode belongs to another kind; otherwise null.</summary>
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

    /// <summary>
    /// Whether the session may have it now: there is no waiter ahead and the holders allow it. A reentrant owner passes the
    /// queue.
    /// </summary>
    public bool CanEnter(Session? session, LockMode asked) =>
        HasLine ? asked == LockMode.Reentrant && session is not null && _owner?.Session == session : AllowedByHolders(session, asked);

    /// <summary>The first waiter, if the holders allow it.</summary>
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
    /// A session that already waits for a reentrant lock gets it once, and counts the rest: its further waits are placed behind its first,
    /// or they would wait for sessions that wait for it.
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
    /// An exclusive wait needs all waits ahead of it to be done, back to the next exclusive one, which needs the rest. A read needs the
    /// exclusive wait ahead of it; other reads are served together with it.
    /// </summary>
    public override void AddBlockers(Wait wait, Blockers blockers) => AddBlockers(wait, wait.Previous, blockers);

    /// <summary>
    /// The blockers of a wait behind these waits. A wait that returns from a condition does not need its own session: the session had
    /// released the lock when it began to wait, so any hold of the lock that it has now was taken, and will be released, independently of
    /// that wait.
    /// </summary>
    public void AddBlockers(Wait wait, Wait? ahead, Blockers blockers)
    {
        var isRead = IsRead(wait);
        var passesOwn = IsReentry(wait) || mode == LockMode.Reentrant;
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

            // The next exclusive wait needs the rest, except the waits of its own session: the graph need not follow them.
            next ??= ahead.Session;
            if (ahead.Session != next)
                break;
            blockers.AddNeeded(ahead);
        }

        var isLast = ahead is null && next is null;
        if (_owner is { } owner)
        {
            if ((isLast || WaitsHere(owner.Session)) && (!IsReentry(wait) || owner.Session != wait.Session))
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

    /// <summary>The mode in which this wait will hold it.</summary>
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

    /// <summary>Also of a wait at a condition that is about to release the lock.</summary>
    private static bool IsReentry(Wait wait) => wait.Command is not AcquireLock;

    private bool IsRead(Wait wait) => ModeOf(wait) == LockMode.Read;

    private bool AllowedByHolders(Session? session, LockMode asked) => asked switch
    {
        LockMode.Read => _owner is null,
        LockMode.Reentrant when _owner is { } owner => session is not null && owner.Session == session,
        _ => _owner is null && _readers is not { Count: > 0 },
    };
}

/// <summary>A session's hold of a lock.</summary>
internal sealed class LockHold(Session session, LockState @lock, string flow, long since, ulong token, bool isRead)
    : Hold(session, @lock, flow, since)
{
    public override ulong Token => token;

    public bool IsRead => isRead;

    public int Depth { get; set; } = 1;
}
