namespace Orchestrator.Core.Kernel;

/// <summary>
/// Finds the wait that would close a cycle, at the moment it begins.
/// </summary>
/// <remarks>
/// <para>
/// The nodes are <see cref="SessionFlow">flows</see>. A session without named flows is one node: it is assumed to release nothing until all
/// its waits are served, even if it pipelines several. Two flows with different names are two nodes, as two sessions would be.
/// </para>
/// <para>
/// If a session does not name the flows that hold and wait, their relation is unknown: one flow may well release what the other waits for.
/// So a wait has no edge to its own session's holds and waits, except to those of its own named flow, which cannot continue.
/// </para>
/// <para>
/// A wait needs all or some of its <see cref="Blockers"/>, so a path from a flow back to itself is not enough: the graph is reduced (Holt,
/// "Some deadlock properties of computer systems", 1972). A flow that waits for nothing completes and releases everything; flows that can
/// then be served complete too, and so on. The new wait is a deadlock if it cannot be served even at the end of this reduction. No deadlock
/// exists before, since none is ever admitted: so only the nodes reachable from the new wait matter.
/// </para>
/// </remarks>
internal sealed class WaitGraph
{
    private readonly List<SessionFlow> _reached = [];
    private readonly Blockers _blockers = new();
    // Marks of one pass. Nearly all flows are unnamed; their marks are in their session.
    private readonly HashSet<SessionFlow> _reachedNamed = [];
    private readonly HashSet<SessionFlow> _doneNamed = [];
    private long _pass;

    /// <summary>The cycle that this wait, already in its lists, would close; null when it may go on.</summary>
    /// <param name="wait">The wait.</param>
    /// <param name="now">The time, in ticks of 100 ns.</param>
    /// <param name="isTaskAwaited">
    /// Whether any session waits for tasks, so that a task's session may block a wait although it holds nothing.
    /// </param>
    public DeadlockCycle? FindCycle(Wait wait, long now, bool isTaskAwaited)
    {
        // A session without holds and other waits blocks no wait: nearly every call ends here.
        if (wait.Session is not { } waiter)
            return null;
        var mayBeAwaited = isTaskAwaited && waiter.Task is not null;
        if (!mayBeAwaited && ((waiter.FirstHold is null && waiter.WaitCount <= 1) || !IsWaitedFor(waiter, wait)))
            return null;
        _pass++;
        _reached.Clear();
        _reachedNamed.Clear();
        _doneNamed.Clear();
        if (!Reach(wait) || !IsStuck(wait))
            return null;
        return Trace(wait, now);
    }

    /// <summary>The edges of the graph, up to a maximum; also those to a waiter's own session.</summary>
    public void Explain(Session waiters, long now, int maximum, List<WaitEdge> edges)
    {
        for (var wait = waiters.FirstWait; wait is not null && edges.Count < maximum; wait = wait.SessionNext)
        {
            Ask(wait);
            if (_blockers.Count == 0)
                edges.Add(Edge(wait, null, now));
            for (var i = 0; i < _blockers.Count && edges.Count < maximum; i++)
                edges.Add(Edge(wait, _blockers[i].Session, now));
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

    /// <summary>Whether the wait depends on this flow: not on one of its own session, unless both are named.</summary>
    private static bool IsEdge(Wait wait, in SessionFlow blocker) =>
        blocker.Session != wait.Session || (wait.Flow.Name.Length > 0 && blocker.Name.Length > 0);

    /// <summary>The first wait of a flow, or the next: all waits that may belong to it.</summary>
    private static Wait? NextOf(in SessionFlow flow, Wait? wait)
    {
        for (wait = wait is null ? flow.Session.FirstWait : wait.SessionNext; wait is not null; wait = wait.SessionNext)
        {
            if (wait.Flow.MayBe(flow))
                return wait;
        }

        return null;
    }

    /// <summary>Collects the flows that the wait may depend on, breadth first; returns whether the waiter itself is among them.</summary>
    private bool Reach(Wait start)
    {
        var reachesItself = ReachFrom(start, start);
        for (var i = 0; i < _reached.Count; i++)
        {
            for (var wait = NextOf(_reached[i], null); wait is not null; wait = NextOf(_reached[i], wait))
                reachesItself |= ReachFrom(wait, start);
        }

        return reachesItself;
    }

    private bool ReachFrom(Wait wait, Wait start)
    {
        var reachesWaiter = false;
        Ask(wait);
        for (var i = 0; i < _blockers.Count; i++)
        {
            var blocker = _blockers[i];
            if (!IsEdge(wait, blocker))
                continue;
            if (blocker.MayBe(start.Flow))
                reachesWaiter = true;
            else if (MarkReached(blocker))
                _reached.Add(blocker);
        }

        return reachesWaiter;
    }

    /// <summary>Reduces the graph; returns whether the new wait cannot be served even then.</summary>
    private bool IsStuck(Wait start)
    {
        // The farthest first: along a chain of waits one round is enough.
        for (var changed = true; changed;)
        {
            changed = false;
            for (var i = _reached.Count - 1; i >= 0; i--)
            {
                var flow = _reached[i];
                if (IsDone(flow) || !CanGetDone(flow))
                    continue;
                MarkDone(flow);
                changed = true;
            }
        }

        return !CanBeServed(start);
    }

    private bool CanGetDone(in SessionFlow flow)
    {
        for (var wait = NextOf(flow, null); wait is not null; wait = NextOf(flow, wait))
        {
            if (!CanBeServed(wait))
                return false;
        }

        return true;
    }

    /// <summary>
    /// Whether the wait can be served once the flows marked as done in this pass are done. Leaves its blockers available to the
    /// caller.
    /// </summary>
    private bool CanBeServed(Wait wait)
    {
        Ask(wait);
        var released = 0L;
        for (var i = 0; i < _blockers.Count; i++)
        {
            if (!IsEdge(wait, _blockers[i]) || IsDone(_blockers[i]))
                released += _blockers.WeightOf(i);
        }

        return released >= _blockers.Needed;
    }

    /// <summary>The shortest path from the wait back to its flow, over flows that cannot complete.</summary>
    private DeadlockCycle? Trace(Wait start, long now)
    {
        var steps = new Dictionary<SessionFlow, Step>();
        var frontier = new Queue<Step>([new Step(start, default)]);
        while (frontier.TryDequeue(out var step))
        {
            if (CanBeServed(step.Wait))
                continue;
            for (var i = 0; i < _blockers.Count; i++)
            {
                var blocker = _blockers[i];
                if (!IsEdge(step.Wait, blocker))
                    continue;
                if (blocker.MayBe(start.Flow))
                    return Assemble(step, blocker, steps, now);
                if (IsDone(blocker) || !steps.TryAdd(blocker, step))
                    continue;
                for (var next = NextOf(blocker, null); next is not null; next = NextOf(blocker, next))
                    frontier.Enqueue(new Step(next, blocker));
            }
        }

        return null;
    }

    private static DeadlockCycle Assemble(Step step, SessionFlow holder, Dictionary<SessionFlow, Step> steps, long now)
    {
        var edges = new List<WaitEdge>();
        var isNamed = true;
        while (true)
        {
            edges.Add(Edge(step.Wait, holder.Session, now));
            isNamed &= holder.Name.Length > 0 && step.Wait.Flow.Name.Length > 0;
            holder = step.Of;
            if (holder == default)
                break;
            step = steps[holder];
        }

        edges.Reverse();
        return new DeadlockCycle(edges) { IsOfNamedFlows = isNamed };
    }

    private static WaitEdge Edge(Wait wait, Session? holder, long now) =>
        new(wait.Session, wait.Object.QualifiedName, holder, TimeSpan.FromTicks(now - wait.Since));

    private bool MarkReached(in SessionFlow flow)
    {
        if (flow.Name.Length > 0)
            return _reachedNamed.Add(flow);
        var isNew = flow.Session.ReachedInPass != _pass;
        flow.Session.ReachedInPass = _pass;
        return isNew;
    }

    private void MarkDone(in SessionFlow flow)
    {
        if (flow.Name.Length > 0)
            _doneNamed.Add(flow);
        else
            flow.Session.DoneInPass = _pass;
    }

    private bool IsDone(in SessionFlow flow) => flow.Name.Length > 0 ? _doneNamed.Contains(flow) : flow.Session.DoneInPass == _pass;

    /// <summary>A wait on the path, and the flow under which it was found; none for the first.</summary>
    private readonly record struct Step(Wait Wait, SessionFlow Of);
}
