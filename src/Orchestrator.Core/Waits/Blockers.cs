using Orchestrator.Core.Sessions;

namespace Orchestrator.Core.Waits;

/// <summary>
/// Whom one wait waits for, as a threshold: it can be served once the sessions that are done with everything weigh <see cref="Needed"/>.
/// </summary>
/// <remarks>
/// All of several (an exclusive lock needs every reader gone): each weighs 1 and all are needed, <see cref="AddNeeded"/>. Some of several (a
/// semaphore needs n permits of whoever holds some): each weighs the permits that it holds, and n less what is free is needed. Who waits
/// ahead in the same list is a blocker too: by the promise of first come, first served it has to be served before, and weighs what it
/// will take. Where somebody who is no blocker may end the wait (an event is set, an item is put, an unbounded semaphore is released by one who
/// never acquired it), nothing is needed: a wait that an outsider can end is never called a deadlock.
/// </remarks>
internal sealed class Blockers
{
    private readonly List<(Session Session, long Weight)> _list = [];

    /// <summary>How much of the blockers' weight has to go.</summary>
    public long Needed { get; set; }

    public int Count => _list.Count;

    public Session this[int index] => _list[index].Session;

    public void Clear()
    {
        _list.Clear();
        Needed = 0;
    }

    /// <summary>Adds one of several that may help. A blocker without a session can be in no cycle: it is not added.</summary>
    public void Add(Session session, long weight) => _list.Add((session, weight));

    /// <summary>Adds one that must be done.</summary>
    public void AddNeeded(Session? session)
    {
        if (session is null)
            return;
        _list.Add((session, 1));
        Needed++;
    }

    /// <summary>Whether the wait can be served when the sessions marked as done in this pass are done.</summary>
    public bool CanBeServed(long pass)
    {
        var gone = 0L;
        foreach (var (session, weight) in _list)
        {
            if (session.DoneInPass == pass)
                gone += weight;
        }

        return gone >= Needed;
    }
}
