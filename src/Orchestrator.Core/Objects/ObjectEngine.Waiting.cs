using System.Diagnostics;
using Orchestrator.Core.Queues;
using Orchestrator.Core.Sessions;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Objects;

/// <summary>Outcomes and waits: every command ends in one of the two.</summary>
public sealed partial class ObjectEngine
{
    // Waits without a session are linked here: they own nothing and are in no cycle, but are listed with the others.
    private readonly Session _nobody = new(0, "", "", null, null);
    private int _waits;
    private int _taskJoins;

    /// <summary>
    /// The caller of this wait has disconnected, so its outcome cannot be delivered: nothing is taken, and nothing is delivered. Does
    /// nothing if the wait has ended, or was taken over by another caller that sent the same operation again. If the caller disconnects
    /// after the outcome has been taken from the effects, use <see cref="CompensateDelivery"/>.
    /// </summary>
    /// <param name="wait">What <see cref="Apply"/> returned.</param>
    /// <param name="caller">The caller that the command named.</param>
    /// <param name="now">The time.</param>
    /// <param name="effects">The resulting work.</param>
    /// <returns>Whether this ended the wait; false where it has had its outcome, or another caller took it over.</returns>
    public bool AbandonWait(Wait wait, object? caller, TimeSpan now, ObjectEffects effects)
    {
        ArgumentNullException.ThrowIfNull(wait);
        Enter(now, effects);
        if (!wait.IsActive)
            return false;
        if (wait.LeaveToOthers(caller))
            return true;
        if (!ReferenceEquals(wait.Caller, caller))
            return false;
        // A repeated command must neither be applied twice nor be answered that nothing was done.
        if (wait.Object.PartialOutcome(wait) is { } partial)
            Remember(wait.Command, partial);
        else
            Forget(wait.Command);
        Unlink(wait);
        wait.Object.OnWaiterLeft(this, wait);
        RetireIfEmpty(wait.Session);
        LeaveChanges();
        return true;
    }

    internal void OnJoinTasks(JoinTasks command)
    {
        if (command.Session is null)
        {
            Complete(command, ObjectError.Invalid("session_id", "session_id must name the session that waits"));
            return;
        }

        var join = new TaskJoin(command, _sessionsOfTasks);
        if (Suspend(command, command.Session, join, join.Waiters) is not null)
            _taskJoins++;
    }

    internal void OnTasksJoined() => _taskJoins--;

    internal void OnCancelOperations(CancelOperations command)
    {
        Complete(command, Done.Instance);
        var left = new List<Wait>();
        foreach (var id in command.OperationIds)
        {
            if (command.Session?.Operations is { } operations && operations.TryFind(id, _now, out var replay) && replay.State is Wait wait)
            {
                Resume(wait, wait.Object.PartialOutcome(wait) ?? ObjectError.Cancelled);
                left.Add(wait);
            }
        }

        // Only now, so that none of these waits is served because of another's cancel.
        foreach (var wait in left)
            wait.Object.OnWaiterLeft(this, wait);
    }

    /// <summary>Ends a command that did not wait.</summary>
    internal void Complete(ObjectCommand command, ObjectOutcome outcome)
    {
        Remember(command, outcome);
        _effects.Outcomes.Add(new ObjectDelivery(command.Caller, command.Tag, outcome, outcome is ObjectError ? null : command));
    }

    /// <summary>The error in the command's timeout; null if it is valid.</summary>
    internal static ObjectError? ValidateTimeout(WaitingCommand command) => command.Timeout < TimeSpan.Zero
        ? ObjectError.Invalid("timeout", $"the timeout of {command.Timeout.Value.TotalSeconds} s must be absent, to wait without end, or at least zero")
        : null;

    /// <summary>
    /// Lets the command wait in a list of the object, at its end or behind <paramref name="after"/>; completes it at once if it must not
    /// wait: its timeout is zero, there are too many waits, or it would close a cycle.
    /// </summary>
    /// <returns>The wait; null when the command is completed, and then the caller must drop an object that it created for the wait.</returns>
    internal Wait? Suspend(WaitingCommand command, Session? session, NamedObject target, WaiterQueue list, Wait? after = null)
    {
        if (command.Timeout == TimeSpan.Zero)
            return Reject(command, session, command.TimedOut);
        if (_waits >= _options.MaxWaits)
        {
            return Reject(command, session, new ObjectError(
                ObjectErrorReason.LimitExceeded, $"{_waits} commands wait, the most that may at once; try again when some have been served"));
        }

        if ((command.Quota is { } client && client.Waits >= _options.MaxWaitsPerClient ? TooManyWaits(client) : ValidateShare(command.Quota, ContentTally.WaitBytes)) is { } share)
            return Reject(command, session, share);

        var wait = new Wait(++_sequence, command, session, target, _now);
        Link(wait, list, after);
        if (ValidateNoCycle(wait) is { } deadlock)
        {
            Unlink(wait);
            return Reject(command, session, deadlock);
        }

        if (command.Timeout is { } timeout)
            _deadlines.Set(wait, After(timeout));
        Begin(wait);
        return _begun = wait;
    }

    private ObjectError TooManyWaits(ClientObjectQuota client) => new(
        ObjectErrorReason.LimitExceeded, $"{client.Waits} commands of client {client.Name} wait, the most of one client that may at once (waits_per_client, {_options.MaxWaitsPerClient}); try again when some have been served")
    {
        Subject = client.Name,
    };

    /// <summary>Ends a wait, served or not. Waking the waits that it blocked is left to the object.</summary>
    internal void Resume(Wait wait, ObjectOutcome outcome)
    {
        Unlink(wait);
        // The same command began and served it: to its caller it never waited.
        if (_begun == wait)
            _begun = null;
        Remember(wait.Command, outcome);
        var granted = outcome is ObjectError ? null : wait.Command;
        _effects.Outcomes.Add(new ObjectDelivery(wait.Caller, wait.Tag, outcome, granted));
        DeliverToOthers(wait, outcome, granted);
        RetireIfEmpty(wait.Session);
    }

    /// <summary>
    /// Moves a wait to another list, where it waits on without a deadline: the second step of a two-step operation. The caller checks for a
    /// cycle there with <see cref="ValidateNoCycle"/>.
    /// </summary>
    internal void MoveWait(Wait wait, NamedObject target, WaiterQueue list, Wait? after = null)
    {
        wait.List!.Remove(wait);
        _deadlines.Remove(wait);
        wait.Object = target;
        list.Add(wait, after);
    }

    /// <summary>The error of a wait, already in its list, that closes a cycle; null if the wait may continue.</summary>
    internal ObjectError? ValidateNoCycle(Wait wait)
    {
        if (_graph.FindCycle(wait, _now, _taskJoins > 0) is not { } cycle)
            return null;
        var hint = cycle.IsOfNamedFlows ? "" : ". Independent flows of one session want a name each (flow), or a session each";
        return new ObjectError(ObjectErrorReason.Deadlock, $"waiting at {wait.Object} would close a cycle of waits: {cycle.Describe()}{hint}") { Cycle = cycle };
    }

    internal void AddHold(Hold hold)
    {
        Debug.Assert(!hold.Session.HasEnded, "an ended session is granted nothing");
        hold.Session.Link(hold);
        // An implicit session's lease starts with the grant that the session was created for.
        if (hold.Session is { IsImplicit: true, HeapIndex: < 0, Ttl: { } lease })
            _deadlines.Set(hold.Session, After(lease));
    }

    internal void RemoveHold(Hold hold)
    {
        hold.Session.Unlink(hold);
        RetireIfEmpty(hold.Session);
    }

    /// <summary>Notifies a session that it has lost a hold which it did not release itself.</summary>
    internal void NotifyLost(Hold hold)
    {
        if (hold.Session.End is { Cause: not SessionEndCause.Closed } end)
        {
            _effects.Notices.Add(new ObjectNotice(
                hold.Session, ObjectErrorReason.SessionLost, hold.Object.QualifiedName, $"{hold.Object} was released: {end.Message}"));
        }
    }

    private Wait? Reject(WaitingCommand command, Session? session, ObjectOutcome outcome)
    {
        Complete(command, outcome);
        RetireIfEmpty(session);
        return null;
    }

    private void Link(Wait wait, WaiterQueue list, Wait? after)
    {
        list.Add(wait, after);
        (wait.Session ?? _nobody).Link(wait);
        _contents.Add(ContentTally.WaitBytes + wait.Command.ContentBytes);
        Count(wait, +1);
    }

    private void Unlink(Wait wait)
    {
        wait.List!.Remove(wait);
        (wait.Session ?? _nobody).Unlink(wait);
        _contents.Add(-ContentTally.WaitBytes - wait.Command.ContentBytes);
        _deadlines.Remove(wait);
        Count(wait, -1);
    }

    private void Count(Wait wait, int change)
    {
        _waits += change;
        if (wait.Command.Quota is not { } client)
            return;
        client.Waits += change;
        client.Bytes += change * (ContentTally.WaitBytes + wait.Command.ContentBytes);
    }
}
