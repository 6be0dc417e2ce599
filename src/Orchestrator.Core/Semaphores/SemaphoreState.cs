using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Semaphores;

/// <summary>
/// Counted permits and one queue for them, served strictly from the front: a large request is not starved by small ones. In a bounded
/// semaphore the free and the held permits always add up to the initial number.
/// </summary>
internal sealed class SemaphoreState(string name, int initial, bool bounded) : NamedObject(ObjectKind.Semaphore, name)
{
    private readonly Dictionary<Session, SemaphoreHold> _holders = [];
    private ReevaluationTimer? _timer;
    private bool _released;
    private long _grants;

    public int Initial { get; } = initial;

    public bool IsBounded => bounded;

    public int Available { get; private set; } = initial;

    public override WaiterQueue Waiters { get; } = new();

    public override bool HasWaiters => Waiters.Count > 0;

    public override IEnumerable<Hold> Holds => _holders.Values;

    /// <summary>Whether its state equals that of a new semaphore.</summary>
    public bool IsIdle => Available == Initial && _holders.Count == 0 && !HasWaiters;

    /// <summary>Whether it is for signals: these may come before any waiter, so it must not be dropped in between.</summary>
    public bool IsSignal => !bounded && Initial == 0;

    public ref ReevaluationTimer? Timer => ref _timer;

    public bool CanTake(int permits) => !HasWaiters && permits <= Available;

    public Wait? NextToServe() => Waiters.First is { } first && Permits(first) <= Available ? first : null;

    public SemaphoreHold? Find(Session? session) => session is null ? null : _holders.GetValueOrDefault(session);

    /// <summary>How many permits will be free after this many are released and the waiters are served.</summary>
    public int AvailableAfter(int released)
    {
        var available = Available + released;
        for (var wait = Waiters.First; wait is not null && Permits(wait) <= available; wait = wait.Next)
            available -= Permits(wait);
        return available;
    }

    /// <summary>Gives permits to a flow's session; true if that creates a hold.</summary>
    public bool Take(in SessionFlow flow, int permits, long now, out SemaphoreHold hold)
    {
        Available -= permits;
        var isNew = !_holders.TryGetValue(flow.Session, out hold!);
        if (isNew)
            _holders.Add(flow.Session, hold = new SemaphoreHold(flow.Session, this, flow.Name, now, ++_grants));
        else
            hold.ShareWith(flow.Name);
        hold.Permits += permits;
        return isNew;
    }

    /// <summary>Takes permits off a hold; true if none are left in it.</summary>
    public bool Shrink(SemaphoreHold hold, int permits)
    {
        hold.Permits -= permits;
        return hold.Permits == 0 && _holders.Remove(hold.Session);
    }

    public void AddFree(int permits) => Available += permits;

    /// <summary>A session released permits that it did not hold: from now on it is unknown which session may end a wait.</summary>
    public void OnReleasedByAnother() => _released = true;

    public SemaphoreHold LongestHeld() => _holders.Values.MinBy(hold => hold.Number)!;

    /// <summary>How many permits of an ended session become free again. A signal that was taken is used up: it does not return.</summary>
    public int ComingBack(SemaphoreHold hold) => bounded ? hold.Permits : Math.Clamp(Initial - Available, 0, hold.Permits);

    /// <summary>Enough of the current holders, or of the waiters that will hold permits first.</summary>
    public override void AddBlockers(Wait wait, Blockers blockers)
    {
        if (!bounded || _released)
            return;
        blockers.Needed = (long)Permits(wait) - Available;
        foreach (var hold in _holders.Values)
            blockers.Add(hold.Flow, hold.Permits);
        for (var ahead = wait.Previous; ahead is not null; ahead = ahead.Previous)
        {
            blockers.Needed += Permits(ahead);
            blockers.Add(ahead.Flow, Permits(ahead));
        }
    }

    public override string Describe() =>
        $"{(bounded ? "bounded" : "unbounded")}, {Available} of {Initial} permits free, {Waiters.Count} waiting";

    private static int Permits(Wait wait) => ((AcquireSemaphore)wait.Command).Count;
}

/// <summary>A session's permits of one semaphore.</summary>
internal sealed class SemaphoreHold(Session session, SemaphoreState semaphore, string flow, long since, long number)
    : Hold(session, semaphore, flow, since)
{
    /// <summary>Grows with every new hold of this semaphore: several may begin in one instant.</summary>
    public long Number => number;

    public int Permits { get; set; }
}
