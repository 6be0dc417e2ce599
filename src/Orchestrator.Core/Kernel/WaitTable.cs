using Orchestrator.Core.Common;

namespace Orchestrator.Core.Kernel;

/// <summary>Outcomes and waits: every command ends in one of the two.</summary>
internal sealed class WaitTable(
    EngineStep step,
    DeadlineHeap<DeadlineNode> deadlines,
    SessionTable sessions,
    CommandReplays replays,
    WaitCharges charges,
    OperationFollowers followers,
    MachineTable machines,
    KindTallies tallies)
{
    // Waits without a session are linked here: they own nothing and are in no cycle, but are listed with the others.
    private readonly Session _noSession = new(0, "", "", null, null);
    private readonly WaitGraph _graph = new();

    /// <summary>How many of them wait for tasks.</summary>
    public int TaskJoins { get; set; }

    /// <summary>How many waits were refused since they would have closed a cycle.</summary>
    public long Deadlocks { get; private set; }

    /// <summary>Ends a command that did not wait.</summary>
    public void Complete(ObjectCommand command, ObjectOutcome outcome)
    {
        replays.Remember(command, outcome);
        step.Effects.Outcomes.Add(new ObjectDelivery(command.Caller, command.Tag, outcome, outcome is ObjectError ? null : command));
    }

    /// <inheritdoc cref="IPrimitiveContext.Suspend"/>
    public Wait? Suspend(WaitingCommand command, Session? session, NamedObject target, WaiterQueue list, Wait? after)
    {
        if (command.Timeout == TimeSpan.Zero)
            return Reject(command, session, command.TimedOut);
        if (charges.Validate(command) is { } full)
            return Reject(command, session, full);

        var wait = new Wait(step.NextOrder(), command, session, target, step.Now);
        Link(wait, list, after);
        if (ValidateNoCycle(wait) is { } deadlock)
        {
            Unlink(wait);
            return Reject(command, session, deadlock);
        }

        if (command.Timeout is { } timeout)
            deadlines.Set(wait, step.After(timeout));
        replays.Begin(wait);
        return step.Begun = wait;
    }

    /// <inheritdoc cref="IPrimitiveContext.Resume"/>
    public void Resume(Wait wait, ObjectOutcome outcome)
    {
        Unlink(wait);
        // The same command began and served it: to its caller it never waited.
        if (step.Begun == wait)
            step.Begun = null;
        else
            ListEnd(wait, outcome);
        replays.Remember(wait.Command, outcome);
        var granted = outcome is ObjectError ? null : wait.Command;
        step.Effects.Outcomes.Add(new ObjectDelivery(wait.Caller, wait.Tag, outcome, granted));
        replays.DeliverToOthers(wait, outcome, granted);
        followers.Deliver(wait, outcome);
        sessions.RetireIfEmpty(wait.Session);
    }

    /// <inheritdoc cref="IPrimitiveContext.MoveWait"/>
    public void Move(Wait wait, NamedObject target, WaiterQueue list, Wait? after)
    {
        wait.List!.Remove(wait);
        deadlines.Remove(wait);
        wait.Object = target;
        list.Add(wait, after);
    }

    /// <summary>The wait's caller has disconnected: nothing is taken, and nothing is delivered.</summary>
    /// <returns>Whether this ended the wait for this caller; false where it has had its outcome, or another caller took it over.</returns>
    public bool Abandon(Wait wait, object? caller)
    {
        if (!wait.IsActive)
            return false;
        if (wait.LeaveToOthers(caller))
            return true;
        if (!ReferenceEquals(wait.Caller, caller))
            return false;
        // A repeated command must neither be applied twice nor be answered that nothing was done.
        if (wait.Object.PartialOutcome(wait) is { } partial)
            replays.Remember(wait.Command, partial);
        else
            replays.Forget(wait.Command);
        Unlink(wait);
        ListEnd(wait, null);
        followers.Deliver(wait, ObjectError.Cancelled);
        machines.Of(wait.Object).OnWaiterLeft(wait);
        sessions.RetireIfEmpty(wait.Session);
        return true;
    }

    /// <summary>Cancels the waits of these operations of the session; the others have had their outcome.</summary>
    public void Cancel(Session? session, IReadOnlyList<ulong> operationIds)
    {
        var left = new List<Wait>();
        foreach (var id in operationIds)
        {
            if (session?.Operations is { } operations && operations.TryFind(id, step.Now, out var replay) && replay.State is Wait wait)
            {
                Resume(wait, wait.Object.PartialOutcome(wait) ?? ObjectError.Cancelled);
                left.Add(wait);
            }
        }

        // Only now, so that none of these waits is served because of another's cancel.
        foreach (var wait in left)
            machines.Of(wait.Object).OnWaiterLeft(wait);
    }

    /// <summary>The error of a wait, already in its list, that closes a cycle; null if the wait may continue.</summary>
    public ObjectError? ValidateNoCycle(Wait wait)
    {
        if (_graph.FindCycle(wait, step.Now, TaskJoins > 0) is not { } cycle)
            return null;
        step.Effects.Deadlocks.Add(cycle);
        Deadlocks++;
        var hint = cycle.IsOfNamedFlows ? "" : ". Independent flows of one session want a name each (flow), or a session each";
        return new ObjectError(
            ObjectErrorReason.Deadlock, $"waiting at {wait.Object} would close a cycle of waits: {cycle.Describe()}{hint}")
        {
            Cycle = cycle,
        };
    }

    /// <summary>The edges of the wait-for graph, up to a maximum.</summary>
    public IReadOnlyList<WaitEdge> Explain(long now, int maximum)
    {
        var edges = new List<WaitEdge>();
        foreach (var session in sessions.All)
        {
            if (edges.Count >= maximum)
                return edges;
            _graph.Explain(session, now, maximum, edges);
        }

        _graph.Explain(_noSession, now, maximum, edges);
        return edges;
    }

    private void ListEnd(Wait wait, ObjectOutcome? outcome)
    {
        if (step.Effects.ListsWaits && wait.Session?.Task is { } task)
            step.Effects.EndedWaits.Add(new EndedWait(task, wait.Object.QualifiedName, wait.Since, step.Now, outcome));
    }

    private Wait? Reject(WaitingCommand command, Session? session, ObjectOutcome outcome)
    {
        Complete(command, outcome);
        sessions.RetireIfEmpty(session);
        return null;
    }

    private void Link(Wait wait, WaiterQueue list, Wait? after)
    {
        list.Add(wait, after);
        (wait.Session ?? _noSession).Link(wait);
        charges.Charge(wait.Command, +1);
        tallies.Begin(wait);
    }

    private void Unlink(Wait wait)
    {
        wait.List!.Remove(wait);
        (wait.Session ?? _noSession).Unlink(wait);
        deadlines.Remove(wait);
        charges.Charge(wait.Command, -1);
        tallies.End(wait, step.Now);
    }
}
