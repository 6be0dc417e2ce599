using Orchestrator.Core.Common;

namespace Orchestrator.Core.Kernel;

/// <summary>Outcomes and waits: every command ends in one of the two.</summary>
internal sealed class WaitTable(
    KernelOptions options,
    EngineStep step,
    DeadlineHeap<DeadlineNode> deadlines,
    SessionTable sessions,
    CommandReplays replays,
    ObjectMemory memory,
    ContentTally contents,
    MachineTable machines)
{
    // Waits without a session are linked here: they own nothing and are in no cycle, but are listed with the others.
    private readonly Session _noSession = new(0, "", "", null, null);
    private readonly WaitGraph _graph = new();

    /// <summary>How many commands wait.</summary>
    public int Count { get; private set; }

    /// <summary>How many of them wait for tasks.</summary>
    public int TaskJoins { get; set; }

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
        if (Validate(command) is { } full)
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
        replays.Remember(wait.Command, outcome);
        var granted = outcome is ObjectError ? null : wait.Command;
        step.Effects.Outcomes.Add(new ObjectDelivery(wait.Caller, wait.Tag, outcome, granted));
        replays.DeliverToOthers(wait, outcome, granted);
        DeliverToFollowers(wait, outcome);
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
        DeliverToFollowers(wait, ObjectError.Cancelled);
        machines.Of(wait.Object).OnWaiterLeft(wait);
        sessions.RetireIfEmpty(wait.Session);
        return true;
    }

    /// <inheritdoc cref="FollowOperation"/>
    public void Follow(FollowOperation command)
    {
        var operations = command.Session?.Operations;
        if (command.IsStopped)
        {
            Complete(command, ObjectError.Cancelled);
        }
        else if (operations?.TryFind(command.Follower, step.Now, out _) == true)
        {
            Complete(command, Done.Instance);
        }
        else if (operations is null || !operations.TryFind(command.Followed, step.Now, out var replay))
        {
            Complete(command, ObjectError.Invalid(
                "after",
                $"the session knows no operation {command.Followed}: it was not sent before, or its outcome is no longer kept"));
        }
        else if (replay.State is not Wait wait)
        {
            // The outcome may report a change that is not written yet.
            step.Effects.SpeaksOfDurable = true;
            Complete(command, (ObjectOutcome)replay.State);
        }
        else if (Validate(command) is { } full)
        {
            Complete(command, full);
        }
        else
        {
            command.Awaited = step.Begun = wait;
            (wait.Followers ??= []).Add(command);
            Charge(command, +1);
        }
    }

    /// <inheritdoc cref="StopFollowing"/>
    public void StopFollowing(FollowOperation command)
    {
        command.IsStopped = true;
        if (command.Awaited is not { } wait)
            return;
        command.Awaited = null;
        Charge(command, -1);
        // Taken out with others: one by one, a client with many would move the rest of the list for each.
        if (++wait.StoppedFollowers * 2 <= wait.Followers!.Count)
            return;
        wait.Followers.RemoveAll(static follower => follower.IsStopped);
        wait.StoppedFollowers = 0;
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

    private void DeliverToFollowers(Wait wait, ObjectOutcome outcome)
    {
        if (wait.Followers is not { } followers)
            return;
        wait.Followers = null;
        foreach (var follower in followers)
        {
            if (follower.IsStopped)
                continue;
            follower.Awaited = null;
            Charge(follower, -1);
            step.Effects.Outcomes.Add(new ObjectDelivery(follower.Caller, follower.Tag, outcome));
        }
    }

    private ObjectError? Validate(ObjectCommand command)
    {
        if (Count >= options.MaxWaits)
        {
            return new ObjectError(
                ObjectErrorReason.LimitExceeded, $"{Count} commands wait, the most that may at once; try again when some have been served");
        }

        return command.Quota is { } client && client.Waits >= options.MaxWaitsPerClient
            ? TooManyWaits(client)
            : memory.ValidateShare(command.Quota, ContentTally.WaitBytes);
    }

    private ObjectError TooManyWaits(ClientObjectQuota client) => new(
        ObjectErrorReason.LimitExceeded,
        $"{client.Waits} commands of client {client.Name} wait, the most of one client that may at once " +
        $"(waits_per_client, {options.MaxWaitsPerClient}); try again when some have been served")
    {
        Subject = client.Name,
    };

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
        Charge(wait.Command, +1);
    }

    private void Unlink(Wait wait)
    {
        wait.List!.Remove(wait);
        (wait.Session ?? _noSession).Unlink(wait);
        deadlines.Remove(wait);
        Charge(wait.Command, -1);
    }

    private void Charge(ObjectCommand command, int change)
    {
        Count += change;
        var bytes = change * (ContentTally.WaitBytes + command.ContentBytes);
        contents.Add(bytes);
        if (command.Quota is not { } client)
            return;
        client.Waits += change;
        client.Bytes += bytes;
    }
}
