using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;

namespace Orchestrator.Core.Conditions;

/// <summary>
/// Conditions. The only primitive with two objects: the contract requires it, and a partition of names has to keep a condition with its
/// lock.
/// </summary>
internal sealed class ConditionMachine(IPrimitiveContext context, LockMachine locks) : PrimitiveMachine(context)
{
    private readonly ObjectMap<ConditionState> _conditions = new(ObjectKind.Condition, context);

    public override IReadOnlyList<NamedObject> ObjectsAfter(string name, int maximum) => _conditions.After(name, maximum);

    public override void Apply(ObjectCommand command)
    {
        switch (command)
        {
            case WaitCondition wait:
                Wait(wait);
                break;
            case NotifyCondition notify:
                Notify(notify);
                break;
            default:
                throw NotMine(command);
        }
    }

    public override void Undo(ObjectCommand command, ObjectOutcome outcome)
    {
        if (command is WaitCondition wait && outcome is WaitConditionOutcome granted)
            UndoWait(wait, granted);
    }

    public override void OnTimeout(Wait wait) => ReturnFrom(wait);

    public override void OnWaiterLeft(Wait wait) => DropIfIdle((ConditionState)wait.Object);

    /// <summary>
    /// A notification whose receiver has disconnected goes to the next command that already waited when it was sent: to a later
    /// one it would be spurious.
    /// </summary>
    public void PassOn(ConditionReturn unused)
    {
        if (unused.NotifiedAt > 0)
            Wake(unused.Condition, 1, unused.NotifiedAt);
    }

    private void Wait(WaitCondition command)
    {
        var target = locks.Find(command.Lock);
        var found = _conditions.Find(command.Condition);
        if ((command.ValidateTimeout() ?? ValidateCondition(command, command.Condition, found, command.Lock, target)) is { } wrong)
        {
            Context.Complete(command, wrong);
            return;
        }

        var session = command.Session!;
        var hold = target!.Find(session)!;
        if (command.Timeout == TimeSpan.Zero)
        {
            Context.Complete(command, new WaitConditionOutcome(WaitStatus.Timeout, hold.Token));
            return;
        }

        if (found is null && _conditions.ValidateNew(command.Condition) is { } full)
        {
            Context.Complete(command, full);
            return;
        }

        var condition = found ?? Bind(command.Condition, target);
        // The lock is released before the graph is checked, or its waiters would seem to wait for the session that is about to release it;
        // it is not yet served, since a refused wait keeps the lock.
        target.Leave(hold);
        if (Context.Suspend(command, session, condition, condition.Waiters) is not { } wait)
        {
            target.Enter(hold);
            DropIfIdle(condition);
            return;
        }

        wait.Progress = new ConditionReturn(this, condition, hold.Depth);
        Context.RemoveHold(hold);
        locks.Serve(target);
    }

    private void Notify(NotifyCondition command)
    {
        var condition = _conditions.Find(command.Condition);
        var wrong = command.Count < -1
            ? ObjectError.Invalid("count", $"a count of {command.Count} must be at least 1, 0 for 1, or -1 for all")
            : ValidateCondition(command, command.Condition, condition, command.Lock, locks.Find(command.Lock));
        if (wrong is not null)
        {
            Context.Complete(command, wrong);
            return;
        }

        var waiting = condition?.Waiters.Count ?? 0;
        var count = command.Count switch { -1 => waiting, 0 => Math.Min(1, waiting), var some => Math.Min(some, waiting) };
        Context.Complete(command, new NotifyConditionOutcome(count));
        if (condition is not null)
            Wake(condition, count, Context.NextOrder());
    }

    /// <summary>
    /// The wait at a condition is over: it reacquires the lock, at once or in its turn. False if that closes a cycle, and then
    /// the wait has failed.
    /// </summary>
    private bool ReturnFrom(Wait wait)
    {
        var step = (ConditionReturn)wait.Progress!;
        var (target, session) = (step.Condition.Lock, wait.Session!);
        ObjectError? deadlock = null;
        if (target.CanEnter(session, target.ExclusiveMode))
        {
            Context.Resume(wait, locks.GrantAgain(target, wait.Flow, step));
        }
        else
        {
            Context.MoveWait(wait, target, target.WaitersOrNew, target.LastOwnWait(session));
            // A client that pipelines may have begun to wait for this session since then.
            deadlock = Context.ValidateNoCycle(wait);
            if (deadlock is not null)
                Context.Resume(wait, deadlock);
        }

        DropIfIdle(step.Condition);
        return deadlock is null;
    }

    private void UndoWait(WaitCondition command, WaitConditionOutcome granted)
    {
        if (granted.Return is not { } step)
            return;
        var target = step.Condition.Lock;
        if (target.Find(command.Session!) is { } hold && hold.Token == granted.FencingToken)
        {
            hold.Depth -= Math.Min(step.Depth, hold.Depth);
            if (hold.Depth == 0)
                locks.ReleaseFully(target, hold);
        }

        PassOn(step);
    }

    private void DropIfIdle(ConditionState condition)
    {
        if (condition.HasWaiters || _conditions.Find(condition.Name) != condition)
            return;
        _conditions.Drop(condition);
        condition.Lock.Conditions--;
        locks.DropIfIdle(condition.Lock);
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

    private static ObjectError? ValidateCondition(
        ObjectCommand command, string name, ConditionState? condition, string lockName, LockState? target)
    {
        if ((ObjectQuota.ValidateName(ObjectKind.Condition, name) ?? ObjectQuota.ValidateName(ObjectKind.Lock, lockName)) is { } wrong)
            return wrong;
        if (command.Session is not { } session)
            return ObjectError.Invalid("session_id", $"session_id must name the session that holds lock \"{lockName}\"");
        if (target?.Find(session) is not { } hold)
            return LockMachine.NotHeld(lockName, target, session);
        if (hold.IsRead)
        {
            return new ObjectError(
                ObjectErrorReason.NotOwner, $"{session} holds {target} for reading; a condition needs it held alone, in mode WRITE");
        }

        return condition is not null && condition.Lock != target
            ? ObjectError.Mismatch("lock", $"{condition} belongs to {condition.Lock} while it has waiters, not to {target}")
            : null;
    }
}
