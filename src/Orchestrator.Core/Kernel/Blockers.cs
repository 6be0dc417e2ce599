namespace Orchestrator.Core.Kernel;

/// <summary>A holder or waiter: a session, or one of its named flows of work.</summary>
/// <param name="Session">The session.</param>
/// <param name="Name">The flow's name; empty where the request named none, and then it may be any.</param>
internal readonly record struct SessionFlow(Session Session, string Name)
{
    /// <summary>Whether this may be the same flow: of one session, and not known to be different.</summary>
    public bool MayBe(in SessionFlow other) =>
        Session == other.Session && (Name.Length == 0 || other.Name.Length == 0 || Name == other.Name);
}

/// <summary>
/// The blockers of one wait, as a threshold: it can be served once the blockers that are done with everything weigh <see cref="Needed"/>.
/// </summary>
/// <remarks>
/// All of several (an exclusive lock needs all readers to leave): each weighs 1 and all are needed,
/// <see cref="AddNeeded(in SessionFlow)"/>. Some of several (a semaphore needs n permits from any of its holders): each weighs the
/// permits that it holds, and n less the free permits is needed. A wait ahead in the same list is a blocker too: first come, first served
/// promises that it is served before, and it weighs what it will take. Where a session outside the blockers may end the wait (it sets an
/// event, puts an item, or releases an unbounded semaphore that it never acquired), nothing is needed: a wait that an outsider can end is
/// never called a deadlock.
/// </remarks>
internal sealed class Blockers
{
    private readonly List<(SessionFlow Flow, long Weight)> _list = [];

    /// <summary>How much of the blockers' weight must be released.</summary>
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

    /// <summary>Adds one of several that may help. A blocker without a session cannot be in a cycle and is not added.</summary>
    public void Add(in SessionFlow flow, long weight) => _list.Add((flow, weight));

    /// <summary>Adds one that must be done.</summary>
    public void AddNeeded(in SessionFlow flow)
    {
        _list.Add((flow, 1));
        Needed++;
    }

    /// <summary>Adds a wait ahead that must be served and done; one without a session cannot be in a cycle.</summary>
    public void AddNeeded(Wait ahead)
    {
        if (ahead.Session is not null)
            AddNeeded(ahead.Flow);
    }
}
