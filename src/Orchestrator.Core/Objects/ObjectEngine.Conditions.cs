using Orchestrator.Core.Sessions;
using Orchestrator.Core.Sync;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Objects;

/// <summary>
/// Conditions. The only primitive with two objects: the contract requires it, and a partition of names has to keep a condition with its lock.
/// </summary>
public sealed partial class ObjectEngine
{
    private readonly ObjectMap<ConditionState> _conditions;

    internal void OnWaitCondition(WaitCondition command)
    {
        var target = _locks.Find(command.Lock);
        var found = _conditions.Find(command.Condition);
        if ((command.ValidateTimeout() ?? ValidateCondition(command, command.Condition, found, command.Lock, target)) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        var session = command.Session!;
        var hold = target!.Find(session)!;
        if (command.Timeout == TimeSpan.Zero)
        {
            Complete(command, new WaitConditionOutcome(WaitStatus.Timeout, hold.Token));
            return;
        }

        if (found is null && _conditions.ValidateNew(command.Condition) is { } full)
        {
            Complete(command, full);
            return;
        }

        var condition = found ?? Bind(command.Condition, target);
        // The lock is released before the graph is checked, or its waiters would seem to wait for the session that is about to release it;
        // it is not yet served, since a refused wait keeps the lock.
        target.Leave(hold);
        if (Suspend(command, session, condition, condition.Waiters) is not { } wait)
        {
            target.Enter(hold);
            DropIfIdle(condition);
            return;
        }

        wait.Progress = new ConditionReturn(condition, hold.Depth);
        RemoveHold(hold);
        ServeLock(target);
    }

    internal void OnNotifyCondition(NotifyCondition command)
    {
        var condition = _conditions.Find(command.Condition);
        var wrong = command.Count < -1
            ? ObjectError.Invalid("count", $"a count of {command.Count} must be at least 1, 0 for 1, or -1 for all")
            : ValidateCondition(command, command.Condition, condition, command.Lock, _locks.Find(command.Lock));
        if (wrong is not null)
        {
            Complete(command, wrong);
            return;
        }

        var waiting = condition?.Waiters.Count ?? 0;
        var count = command.Count switch { -1 => waiting, 0 => Math.Min(1, waiting), var some => Math.Min(some, waiting) };
        Complete(command, new NotifyConditionOutcome(count));
        if (condition is not null)
            Wake(condition, count, NextOrder());
    }

    /// <summary>
    /// A notification whose receiver has disconnected goes to the next command that already waited when it was sent: to a later
    /// one it would be spurious.
    /// </summary>
    internal void RawNotification(ConditionReturn unused)
    {
        if (unused.NotifiedAt > 0)
            Wake(unused.Condition, 1, unused.NotifiedAt);
    }

    /// <summary>
    /// The wait at a condition is over: it reacquires the lock, at once or in its turn. False if that closes a cycle, and then
    /// the wait has failed.
    /// </summary>
    internal bool ReturnFrom(Wait wait)
    {
        var step = (ConditionReturn)wait.Progress!;
        var (target, session) = (step.Condition.Lock, wait.Session!);
        ObjectError? deadlock = null;
        if (target.CanEnter(session, target.ExclusiveMode))
        {
            Resume(wait, GrantAgain(target, wait.Flow, step));
        }
        else
        {
            MoveWait(wait, target, target.WaitersOrNew, target.LastOwnWait(session));
            // A client that pipelines may have begun to wait for this session since then.
            deadlock = ValidateNoCycle(wait);
            if (deadlock is not null)
                Resume(wait, deadlock);
        }

        DropIfIdle(step.Condition);
        return deadlock is null;
    }

    internal void UndoWaitCondition(WaitCondition command, WaitConditionOutcome granted)
    {
        if (granted.Return is not { } step)
            return;
        var target = step.Condition.Lock;
        if (target.Find(command.Session!) is { } hold && hold.Token == granted.FencingToken)
        {
            hold.Depth -= Math.Min(step.Depth, hold.Depth);
            if (hold.Depth == 0)
                ReleaseFully(target, hold);
        }

        RawNotification(step);
    }

    internal void DropIfIdle(ConditionState condition)
    {
        if (condition.HasWaiters || _conditions.Find(condition.Name) != condition)
            return;
        _conditions.Drop(condition);
        condition.Lock.Conditions--;
        if (condition.Lock.IsIdle)
            _locks.Drop(condition.Lock);
    }

    private ConditionState Bind(string name, LockState target)
    {
        var condition = new ConditionState(name, target);
        _conditions.Add(condition);
        target.Conditions++;
        return condition;
    }

    /// <summary>Wakes this many of the waits that began before the notification.</summary>
    private void Wake(ConditionState condition, int count, long notification)
    {
        while (count > 0 && condition.Waiters.First is { } wait && wait.Order < notification)
        {
            ((ConditionReturn)wait.Progress!).NotifiedAt = notification;
            if (ReturnFrom(wait))
                count--;
        }
    }

    private WaitConditionOutcome GrantAgain(LockState target, in SessionFlow flow, ConditionReturn step)
    {
        var hold = HoldLock(target, flow, target.ExclusiveMode, step.Depth);
        return new WaitConditionOutcome(step.NotifiedAt > 0 ? WaitStatus.Ok : WaitStatus.Timeout, hold.Token) { Return = step };
    }

    private static ObjectError? ValidateCondition(ObjectCommand command, string name, ConditionState? condition, string lockName, LockState? target)
    {
        if ((ObjectQuota.ValidateName(ObjectKind.Condition, name) ?? ObjectQuota.ValidateName(ObjectKind.Lock, lockName)) is { } wrong)
            return wrong;
        if (command.Session is not { } session)
            return ObjectError.Invalid("session_id", $"session_id must name the session that holds lock \"{lockName}\"");
        if (target?.Find(session) is not { } hold)
            return NotHeld(lockName, target, session);
        if (hold.IsRead)
            return new ObjectError(ObjectErrorReason.NotOwner, $"{session} holds {target} for reading; a condition needs it held alone, in mode WRITE");
        return condition is not null && condition.Lock != target
            ? ObjectError.Mismatch("lock", $"{condition} belongs to {condition.Lock} while it has waiters, not to {target}")
            : null;
    }
}
