using Orchestrator.Core.Sessions;

namespace Orchestrator.Core.Waits;

/// <summary>Who holds or waits: a session, or one of the flows of work that it has named.</summary>
/// <param name="Session">The session.</param>
/// <param name="Name">Which of its flows; empty where the request named none, and then it may be any.</param>
internal readonly record struct SessionFlow(Session Session, string Name)
{
    /// <summary>Whether this may be the same flow: of one session, and not known to be two.</summary>
    public bool MayBe(in SessionFlow other) => Session == other.Session && (Name.Length == 0 || other.Name.Length == 0 || Name == other.Name);
}

/// <summary>
/// Whom one wait waits for, as a threshold: it can be served once those who are done with everything weigh <see cref="Needed"/>.
/// </summary>
/// <remarks>
/// All of several (an exclusive lock needs every reader gone): each weighs 1 and all are needed, <see cref="AddNeeded(in SessionFlow)"/>. Some of several (a
/// semaphore needs n permits of whoever holds some): each weighs the permits that it holds, and n less what is free is needed. Who waits
/// ahead in the same list is a blocker too: by the promise of first come, first served it has to be served before, and weighs what it
/// will take. Where somebody who is no blocker may end the wait (an event is set, an item is put, an unbounded semaphore is released by one who
/// never acquired it), nothing is needed: a wait that an outsider can end is never called a deadlock.
/// </remarks>
internal sealed class Blockers
{
    private readonly List<(SessionFlow Flow, long Weight)> _list = [];

    /// <summary>How much of the blockers' weight has to go.</summary>
    public long Needed { get; set; }

    public int Count => _list.Count;

    public SessionFlow this[int index] => _list[index].Flow;

    public void Clear()
    {
        _list.Clear();
        Needed = 0;
    }

    /// <summary>The weight of one of them.</summary>
    public long WeightOf(int index) => _list[index].Weight;

    /// <summary>Adds one of several that may help. A blocker without a session can be in no cycle: it is not added.</summary>
    public void Add(in SessionFlow flow, long weight) => _list.Add((flow, weight));

    /// <summary>Adds one that must be done.</summary>
    public void AddNeeded(in SessionFlow flow)
    {
        _list.Add((flow, 1));
        Needed++;
    }

    /// <summary>Adds a wait ahead that must be served and done; one without a session can be in no cycle.</summary>
    public void AddNeeded(Wait ahead)
    {
        if (ahead.Session is not null)
            AddNeeded(ahead.Flow);
    }
}
