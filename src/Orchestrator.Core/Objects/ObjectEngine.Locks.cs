using Orchestrator.Core.Sessions;
using Orchestrator.Core.Sync;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Objects;

/// <summary>
/// Locks. A lock exists while it is held or waited for; only the number of the last grant, one counter for all locks, outlives
/// it.
/// </summary>
public sealed partial class ObjectEngine
{
    private readonly ObjectMap<LockState> _locks;
    private ulong _lastToken;

    /// <summary>The largest fencing token granted so far.</summary>
    public ulong LastFencingToken => _lastToken;

    internal void OnAcquireLock(AcquireLock command)
    {
        var found = _locks.Find(command.Lock);
        if (ValidateAcquire(command, found) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        var target = found ?? new LockState(command.Lock, command.Mode);
        var canEnter = target.CanEnter(command.Session, command.Mode);
        if (!canEnter && command.Timeout == TimeSpan.Zero)
        {
            Complete(command, command.TimedOut);
            return;
        }

        if ((command.Session ?? OpenImplicit(command, command.Lease)) is not { } session)
            return;
        if (found is null)
            _locks.Add(target);
        if (canEnter)
            Complete(command, Grant(target, new SessionFlow(session, command.Flow), command.Mode));
        else
            Suspend(command, session, target, target.WaitersOrNew, target.LastOwnWait(session));
    }

    internal void OnReleaseLock(ReleaseLock command)
    {
        var target = _locks.Find(command.Lock);
        if (ValidateRelease(command, target) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        var hold = target!.Find(command.Session!)!;
        if (hold.Depth > 1)
        {
            Complete(command, new ReleaseLockOutcome(--hold.Depth));
            return;
        }

        Complete(command, ReleaseLockOutcome.Released);
        ReleaseFully(target, hold);
    }

    internal void UndoAcquireLock(AcquireLock command, AcquireLockOutcome granted)
    {
        if (granted.Session is not { } session || _locks.Find(command.Lock) is not { } target)
            return;
        // A hold with another token is not the one that this command was granted.
        if (target.Find(session) is not { } hold || hold.Token != granted.FencingToken)
            return;
        if (--hold.Depth == 0)
            ReleaseFully(target, hold);
    }

    /// <summary>Removes a hold at any depth and serves the waiters.</summary>
    internal void ReleaseFully(LockState target, LockHold hold)
    {
        target.Leave(hold);
        RemoveHold(hold);
        ServeLock(target);
    }

    /// <summary>Grants the lock to the waiters that may enter now, from the front of the queue.</summary>
    internal void ServeLock(LockState target)
    {
        while (target.NextToServe() is { } wait)
        {
            Resume(wait, wait.Progress is ConditionReturn step
                ? GrantAgain(target, wait.Flow, step)
                : Grant(target, wait.Flow, target.ModeOf(wait)));
        }

        if (target.IsIdle)
            _locks.Drop(target);
    }

    /// <summary>Whether the token belongs to a current hold: the check of a guarded update.</summary>
    internal bool IsHeldWith(string name, ulong token) => _locks.Find(name) is { } target && target.Holders.Any(hold => hold.Token == token);

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
            hold = new LockHold(flow.Session, target, flow.Name, Now, ++_lastToken, mode == LockMode.Read) { Depth = depth };
            target.Enter(hold);
            AddHold(hold);
        }

        return hold;
    }

    private ObjectError? ValidateAcquire(AcquireLock command, LockState? target)
    {
        if (command.Mode is < LockMode.Plain or > LockMode.Write)
            return ObjectError.Invalid("mode", $"the lock mode {(int)command.Mode} must be PLAIN (1), REENTRANT (2), READ (3) or WRITE (4)");
        if (command.ValidateTimeout() is { } timeout)
            return timeout;
        if (command.Lease is not null && (command.Session is null ? ValidateTtl("lease", command.Lease) : LeaseWithSession) is { } lease)
            return lease;
        if (target is null)
            return _locks.ValidateNew(command.Lock);
        return target.Contradicts(command.Mode) is { } kind
            ? new ObjectError(
                ObjectErrorReason.KindMismatch, $"{target} is in use as a {kind} lock and cannot be acquired in mode {ContractNames.Of(command.Mode)}")
            {
                Field = "mode",
            }
            : null;
    }

    private static ObjectError LeaseWithSession { get; } =
        ObjectError.Invalid("lease", "a lease is for requests without session_id; a session's holds live as long as the session");

    private static ObjectError? ValidateRelease(ReleaseLock command, LockState? target)
    {
        if (target is null)
            return ObjectQuota.ValidateName(ObjectKind.Lock, command.Lock) ?? NotHeld(command.Lock, null, null);
        if (command.Session is not { } session)
            return ObjectError.Invalid("session_id", $"session_id must name the session that holds {target}");
        return target.Find(session) is not null ? null : NotHeld(command.Lock, target, session);
    }

    private static ObjectError NotHeld(string name, LockState? target, Session? session) => new(
        ObjectErrorReason.NotOwner,
        target?.Holders.FirstOrDefault() is { } holder ? $"{target} is held by {holder.Session}, not by {session}" : $"lock \"{name}\" is free");
}
