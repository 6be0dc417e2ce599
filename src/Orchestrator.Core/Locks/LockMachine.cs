using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Locks;

/// <summary>
/// Locks. A lock exists while it is held or waited for; only the number of the last grant, one counter for all locks, outlives
/// it.
/// </summary>
internal sealed class LockMachine(IPrimitiveContext context, ulong lastToken) : PrimitiveMachine(context)
{
    private readonly ObjectMap<LockState> _locks = new(ObjectKind.Lock, context);

    /// <summary>The largest fencing token granted so far.</summary>
    public ulong LastToken { get; private set; } = lastToken;

    public override IReadOnlyList<NamedObject> ObjectsAfter(string name, int maximum) => _locks.After(name, maximum);

    public override void Apply(ObjectCommand command)
    {
        switch (command)
        {
            case AcquireLock acquire:
                Acquire(acquire);
                break;
            case ReleaseLock release:
                Release(release);
                break;
            default:
                throw NotMine(command);
        }
    }

    public override void Undo(ObjectCommand command, ObjectOutcome outcome)
    {
        if (command is AcquireLock acquire && outcome is AcquireLockOutcome granted)
            UndoAcquire(acquire, granted);
    }

    public override void OnWaiterLeft(Wait wait)
    {
        Serve((LockState)wait.Object);
        (wait.Progress as LockReentry)?.OnLeft();
    }

    public override void OnHolderEnded(Hold hold) => ReleaseFully((LockState)hold.Object, (LockHold)hold);

    public LockState? Find(string name) => _locks.Find(name);

    /// <summary>Removes a hold at any depth and serves the waiters.</summary>
    public void ReleaseFully(LockState target, LockHold hold)
    {
        target.Leave(hold);
        Context.RemoveHold(hold);
        Serve(target);
    }

    /// <summary>Grants the lock to the waiters that may enter now, from the front of the queue.</summary>
    public void Serve(LockState target)
    {
        while (target.NextToServe() is { } wait)
        {
            Context.Resume(wait, wait.Progress is LockReentry reentry
                ? GrantAgain(target, wait.Flow, reentry)
                : Grant(target, wait.Flow, target.ModeOf(wait)));
        }

        DropIfIdle(target);
    }

    /// <summary>Grants the lock again to a wait that had released it.</summary>
    public ObjectOutcome GrantAgain(LockState target, in SessionFlow flow, LockReentry reentry) =>
        reentry.Granted(HoldLock(target, flow, target.ExclusiveMode, reentry.Depth));

    public void DropIfIdle(LockState target)
    {
        if (target.IsIdle)
            _locks.Drop(target);
    }

    /// <summary>Whether the token belongs to a current hold: the check of a guarded update.</summary>
    public bool IsHeldWith(string name, ulong token) =>
        _locks.Find(name) is { } target && target.Holders.Any(hold => hold.Token == token);

    /// <summary>The error of a session that does not hold the lock.</summary>
    public static ObjectError NotHeld(string name, LockState? target, Session? session) => new(
        ObjectErrorReason.NotOwner,
        target?.Holders.FirstOrDefault() is { } holder
            ? $"{target} is held by {holder.Session}, not by {session}"
            : $"lock \"{name}\" is free");

    private void Acquire(AcquireLock command)
    {
        var found = _locks.Find(command.Lock);
        if (ValidateAcquire(command, found) is { } wrong)
        {
            Context.Complete(command, wrong);
            return;
        }

        var target = found ?? new LockState(command.Lock, command.Mode);
        var canEnter = target.CanEnter(command.Session, command.Mode);
        if (!canEnter && command.Timeout == TimeSpan.Zero)
        {
            Context.Complete(command, command.TimedOut);
            return;
        }

        if ((command.Session ?? Context.OpenImplicit(command, command.Lease)) is not { } session)
            return;
        if (found is null)
            _locks.Add(target);
        if (canEnter)
            Context.Complete(command, Grant(target, new SessionFlow(session, command.Flow), command.Mode));
        else
            Context.Suspend(command, session, target, target.WaitersOrNew, target.LastOwnWait(session));
    }

    private void Release(ReleaseLock command)
    {
        var target = _locks.Find(command.Lock);
        if (ValidateRelease(command, target) is { } wrong)
        {
            Context.Complete(command, wrong);
            return;
        }

        var hold = target!.Find(command.Session!)!;
        if (hold.Depth > 1)
        {
            Context.Complete(command, new ReleaseLockOutcome(--hold.Depth));
            return;
        }

        Context.Complete(command, ReleaseLockOutcome.Released);
        ReleaseFully(target, hold);
    }

    private void UndoAcquire(AcquireLock command, AcquireLockOutcome granted)
    {
        if (granted.Session is not { } session || _locks.Find(command.Lock) is not { } target)
            return;
        // A hold with another token is not the one that this command was granted.
        if (target.Find(session) is not { } hold || hold.Token != granted.FencingToken)
            return;
        if (--hold.Depth == 0)
            ReleaseFully(target, hold);
    }

    private AcquireLockOutcome Grant(LockState target, in SessionFlow flow, LockMode mode)
    {
        var hold = HoldLock(target, flow, mode, 1);
        return new AcquireLockOutcome(WaitStatus.Ok, hold.Token, flow.Session, hold.Depth);
    }

    /// <summary>Creates a hold or deepens an existing one.</summary>
    private LockHold HoldLock(LockState target, in SessionFlow flow, LockMode mode, int depth)
    {
        if (target.Find(flow.Session) is { } hold)
        {
            hold.Depth += depth;
            hold.ShareWith(flow.Name);
        }
        else
        {
            hold = new LockHold(flow.Session, target, flow.Name, Context.Now, ++LastToken, mode == LockMode.Read) { Depth = depth };
            target.Enter(hold);
            Context.AddHold(hold);
        }

        return hold;
    }

    private ObjectError? ValidateAcquire(AcquireLock command, LockState? target)
    {
        if (command.Mode is < LockMode.Plain or > LockMode.Write)
        {
            return ObjectError.Invalid(
                "mode", $"the lock mode {(int)command.Mode} must be PLAIN (1), REENTRANT (2), READ (3) or WRITE (4)");
        }

        if (command.ValidateTimeout() is { } timeout)
            return timeout;
        if (ValidateLease(command, command.Lease) is { } lease)
            return lease;
        if (target is null)
            return _locks.ValidateNew(command.Lock);
        return target.Contradicts(command.Mode) is { } kind
            ? new ObjectError(
                ObjectErrorReason.KindMismatch,
                $"{target} is in use as a {kind} lock and cannot be acquired in mode {ContractNames.Of(command.Mode)}")
            {
                Field = "mode",
            }
            : null;
    }

    private static ObjectError? ValidateRelease(ReleaseLock command, LockState? target)
    {
        if (target is null)
            return ObjectQuota.ValidateName(ObjectKind.Lock, command.Lock) ?? NotHeld(command.Lock, null, null);
        if (command.Session is not { } session)
            return ObjectError.Invalid("session_id", $"session_id must name the session that holds {target}");
        return target.Find(session) is not null ? null : NotHeld(command.Lock, target, session);
    }
}
