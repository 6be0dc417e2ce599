using Orchestrator.Core.Sessions;

namespace Orchestrator.Core.Waits;

/// <summary>
/// Finds the wait that would close a cycle, at the moment it begins.
/// </summary>
/// <remarks>
/// The nodes are sessions: a session that waits is taken to release nothing until all its waits are served, also where it pipelines several.
/// A wait needs all or some of its <see cref="Blockers"/>, so a path from a session back to itself is not enough: the graph is reduced
/// (Holt, "Some deadlock properties of computer systems", 1972). Whoever waits for nothing gets done and gives everything back; who can be served
/// then gets done too, and so on. The new wait is a deadlock if it cannot be served even when this has come to rest.
/// No deadlock exists before, since none is ever let in: so only what can be reached from the new wait matters.
/// </remarks>
internal sealed class WaitGraph
{
    private readonly List<Session> _reached = [];
    private readonly Blockers _blockers = new();
    private long _pass;

    /// <summary>The cycle that this wait, already in its lists, would close; null when it may go on.</summary>
    public DeadlockCycle? FindCycle(Wait wait, long now)
    {
        // Who holds nothing and has no other wait is waited for by nobody: nearly every wait ends here.
        if (wait.Session is not { } waiter || (waiter.FirstHold is null && waiter.WaitCount <= 1) || !IsWaitedFor(waiter, wait))
            return null;
        _pass++;
        _reached.Clear();
        if (!Reach(wait, waiter) || !IsStuck(wait))
            return null;
        return Trace(wait, waiter, now);
    }

    /// <summary>Every edge of the graph, at most so many.</summary>
    public void Explain(Session waiters, long now, int maximum, List<WaitEdge> edges)
    {
        for (var wait = waiters.FirstWait; wait is not null && edges.Count < maximum; wait = wait.SessionNext)
        {
            Ask(wait);
            if (_blockers.Count == 0)
                edges.Add(Edge(wait, null, now));
            for (var i = 0; i < _blockers.Count && edges.Count < maximum; i++)
                edges.Add(Edge(wait, _blockers[i], now));
        }
    }

    private static bool IsWaitedFor(Session session, Wait newWait)
    {
        for (var hold = session.FirstHold; hold is not null; hold = hold.SessionNext)
        {
            if (hold.Object.HasWaiters)
                return true;
        }

        for (var wait = session.FirstWait; wait is not null; wait = wait.SessionNext)
        {
            if (wait != newWait && wait.Object.IsWaitedFor(wait))
                return true;
        }

        return false;
    }

    private void Ask(Wait wait)
    {
        _blockers.Clear();
        wait.Object.AddBlockers(wait, _blockers);
    }

    /// <summary>Collects the sessions that the wait may depend on, breadth first; whether the waiter itself is among them.</summary>
    private bool Reach(Wait start, Session waiter)
    {
        var reachesItself = ReachFrom(start, waiter);
        for (var i = 0; i < _reached.Count; i++)
        {
            for (var wait = _reached[i].FirstWait; wait is not null; wait = wait.SessionNext)
                reachesItself |= ReachFrom(wait, waiter);
        }

        return reachesItself;
    }

    private bool ReachFrom(Wait wait, Session waiter)
    {
        var reachesWaiter = false;
        Ask(wait);
        for (var i = 0; i < _blockers.Count; i++)
        {
            var blocker = _blockers[i];
            if (blocker == waiter)
            {
                reachesWaiter = true;
            }
            else if (blocker.ReachedInPass != _pass)
            {
                blocker.ReachedInPass = _pass;
                _reached.Add(blocker);
            }
        }

        return reachesWaiter;
    }

    /// <summary>Reduces the graph; whether the new wait cannot be served even then.</summary>
    private bool IsStuck(Wait start)
    {
        // The farthest first: along a chain of waits one round is enough.
        for (var changed = true; changed;)
        {
            changed = false;
            for (var i = _reached.Count - 1; i >= 0; i--)
            {
                var session = _reached[i];
                if (session.DoneInPass == _pass || !CanGetDone(session))
                    continue;
                session.DoneInPass = _pass;
                changed = true;
            }
        }

        Ask(start);
        return !_blockers.CanBeServed(_pass);
    }

    private bool CanGetDone(Session session)
    {
        for (var wait = session.FirstWait; wait is not null; wait = wait.SessionNext)
        {
            Ask(wait);
            if (!_blockers.CanBeServed(_pass))
                return false;
        }

        return true;
    }

    /// <summary>The shortest way from the wait back to its session, over those who cannot get done.</summary>
    private DeadlockCycle? Trace(Wait start, Session waiter, long now)
    {
        var steps = new Dictionary<Session, Wait>();
        var frontier = new Queue<Wait>([start]);
        while (frontier.TryDequeue(out var wait))
        {
            Ask(wait);
            if (_blockers.CanBeServed(_pass))
                continue;
            for (var i = 0; i < _blockers.Count; i++)
            {
                var blocker = _blockers[i];
                if (blocker == waiter)
                    return Assemble(wait, start, waiter, steps, now);
                if (blocker.DoneInPass == _pass || !steps.TryAdd(blocker, wait))
                    continue;
                for (var next = blocker.FirstWait; next is not null; next = next.SessionNext)
                    frontier.Enqueue(next);
            }
        }

        return null;
    }

    private static DeadlockCycle Assemble(Wait last, Wait start, Session waiter, Dictionary<Session, Wait> steps, long now)
    {
        var edges = new List<WaitEdge> { Edge(last, waiter, now) };
        for (var wait = last; wait != start;)
        {
            var session = wait.Session!;
            wait = steps[session];
            edges.Add(Edge(wait, session, now));
        }

        edges.Reverse();
        return new DeadlockCycle(edges);
    }

    private static WaitEdge Edge(Wait wait, Session? holder, long now) =>
        new(wait.Session, wait.Object.QualifiedName, holder, TimeSpan.FromTicks(now - wait.Since));
}
