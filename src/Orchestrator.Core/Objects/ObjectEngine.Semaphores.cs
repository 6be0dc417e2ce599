using Orchestrator.Core.Sessions;
using Orchestrator.Core.Sync;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Objects;

/// <summary>Semaphores. A semaphore exists while its state differs from its initial state or while it has waiters.</summary>
public sealed partial class ObjectEngine
{
    private readonly ObjectMap<SemaphoreState> _semaphores;

    internal void OnAcquireSemaphore(AcquireSemaphore command)
    {
        var found = _semaphores.Find(command.Semaphore);
        if (ValidateAcquire(command, found) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        var target = found ?? new SemaphoreState(command.Semaphore, command.InitialPermits!.Value, command.Bounded);
        var canTake = target.CanTake(command.Count);
        var waits = !canTake && command.Timeout != TimeSpan.Zero;
        Session? session = null;
        if ((canTake || waits) && (session = command.Session ?? OpenImplicit(command, command.Lease)) is null)
            return;
        if (found is null)
            _semaphores.Add(target);
        if (canTake)
            Complete(command, Grant(target, new SessionFlow(session!, command.Flow), command.Count));
        else if (waits)
            Suspend(command, session, target, target.Waiters);
        else
            Complete(command, new AcquireSemaphoreOutcome(WaitStatus.Timeout, null, target.Available));
        Settle(target);
    }

    internal void OnReleaseSemaphore(ReleaseSemaphore command)
    {
        var found = _semaphores.Find(command.Semaphore);
        if (ValidateRelease(command, found) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        var target = found ?? new SemaphoreState(command.Semaphore, command.InitialPermits!.Value, bounded: false);
        if (found is null)
            _semaphores.Add(target);
        Complete(command, new ReleaseSemaphoreOutcome(target.AvailableAfter(command.Count)));
        var left = command.Count;
        if (target.Find(command.Session) is { } own)
            left -= Shrink(target, own, left);
        if (left > 0)
            target.OnReleasedByAnother();
        while (left > 0 && target.IsBounded)
            left -= Shrink(target, target.LongestHeld(), left);
        target.AddFree(command.Count);
        ServeSemaphore(target);
    }

    internal void UndoAcquireSemaphore(AcquireSemaphore command, AcquireSemaphoreOutcome granted)
    {
        // Permits that the session has released since then are not returned again.
        if (_semaphores.Find(command.Semaphore) is not { } target || target.Find(granted.Session) is not { } hold)
            return;
        target.AddFree(Shrink(target, hold, command.Count));
        ServeSemaphore(target);
    }

    /// <summary>Returns the permits of an ended session.</summary>
    internal void ReturnPermits(SemaphoreState target, SemaphoreHold hold)
    {
        var free = target.ComingBack(hold);
        Shrink(target, hold, hold.Permits);
        target.AddFree(free);
        ServeSemaphore(target);
    }

    internal void ServeSemaphore(SemaphoreState target)
    {
        while (target.NextToServe() is { } wait)
            Resume(wait, Grant(target, wait.Flow, ((AcquireSemaphore)wait.Command).Count));
        Settle(target);
    }

    internal void DropIdle(SemaphoreState target)
    {
        StopTimer(target.Timer);
        _semaphores.Drop(target);
    }

    private void Settle(SemaphoreState target)
    {
        if (target.IsSignal)
            ScheduleIdleExpiry(target.IsIdle, target, ref target.Timer);
        else if (target.IsIdle)
            _semaphores.Drop(target);
    }

    private AcquireSemaphoreOutcome Grant(SemaphoreState target, in SessionFlow flow, int permits)
    {
        if (target.Take(flow, permits, Now, out var hold))
            AddHold(hold);
        return new AcquireSemaphoreOutcome(WaitStatus.Ok, flow.Session, target.Available);
    }

    /// <summary>Removes at most this many permits from a hold and returns how many it removed.</summary>
    private int Shrink(SemaphoreState target, SemaphoreHold hold, int atMost)
    {
        var permits = Math.Min(atMost, hold.Permits);
        if (target.Shrink(hold, permits))
            RemoveHold(hold);
        return permits;
    }

    private ObjectError? ValidateAcquire(AcquireSemaphore command, SemaphoreState? target)
    {
        if (command.ValidateTimeout() is { } timeout)
            return timeout;
        if (command.Lease is not null && (command.Session is null ? ValidateTtl("lease", command.Lease) : LeaseWithSession) is { } lease)
            return lease;
        if (command.InitialPermits < 0)
            return ObjectError.Invalid("initial_permits", $"initial_permits of {command.InitialPermits} must be at least 0");
        if (command is { InitialPermits: 0, Bounded: true })
            return ObjectError.Invalid("initial_permits", "initial_permits of 0 must be at least 1 where bounded: no acquire could ever succeed");
        if (ValidatePermits(command.Permits) is { } permits)
            return permits;
        if ((target is null ? ValidateCreation(command) : ValidateOther(command, target)) is { } wrong)
            return wrong;
        var initial = target?.Initial ?? command.InitialPermits!.Value;
        return (target?.IsBounded ?? command.Bounded) && command.Count > initial
            ? ObjectError.Invalid("permits", $"permits of {command.Count} must be at most {initial}, all that semaphore \"{command.Semaphore}\" has")
            : null;
    }

    private ObjectError? ValidateCreation(AcquireSemaphore command) => command.InitialPermits is null
        ? ObjectError.NotFound(ObjectKind.Semaphore, command.Semaphore, "give initial_permits to create it")
        : _semaphores.ValidateNew(command.Semaphore);

    private static ObjectError? ValidateOther(AcquireSemaphore command, SemaphoreState target)
    {
        var has = $"{target} was created with initial_permits {target.Initial} and is {(target.IsBounded ? "bounded" : "unbounded")}";
        if (command.InitialPermits is { } initial && initial != target.Initial)
            return ObjectError.Mismatch("initial_permits", $"{has}; initial_permits of {initial} must agree or be left out");
        var saysSo = command.Bounded || command.InitialPermits is not null;
        return saysSo && command.Bounded != target.IsBounded
            ? ObjectError.Mismatch("bounded", $"{has}; bounded must agree")
            : null;
    }

    private ObjectError? ValidateRelease(ReleaseSemaphore command, SemaphoreState? target)
    {
        if (ValidatePermits(command.Permits) is { } permits)
            return permits;
        if (command.InitialPermits < 0)
            return ObjectError.Invalid("initial_permits", $"initial_permits of {command.InitialPermits} must be at least 0");
        if (target is null)
        {
            if (command.InitialPermits is not { } first)
            {
                return ObjectError.NotFound(
                    ObjectKind.Semaphore, command.Semaphore, "no permit of it is taken, or it was never created; give initial_permits to create it");
            }

            return first > int.MaxValue - command.Count
                ? new ObjectError(ObjectErrorReason.OverReleased, $"initial_permits of {first} and {command.Count} more are above {int.MaxValue}") { Field = "permits" }
                : _semaphores.ValidateNew(command.Semaphore);
        }

        if (command.InitialPermits is { } initial && initial != target.Initial)
        {
            return ObjectError.Mismatch(
                "initial_permits", $"{target} was created with initial_permits {target.Initial}; initial_permits of {initial} must agree or be left out");
        }

        var (most, why) = target.IsBounded
            ? (target.Initial - target.Available, $"it is bounded at {target.Initial}, of which {target.Available} are free")
            : (int.MaxValue - target.Available, $"{target.Available} are free, and it counts to {int.MaxValue}");
        return command.Count <= most
            ? null
            : new ObjectError(ObjectErrorReason.OverReleased, $"{target} takes at most {most} permits now, not {command.Count}: {why}") { Field = "permits" };
    }

    private static ObjectError? ValidatePermits(int permits) => permits < 0
        ? ObjectError.Invalid("permits", $"permits of {permits} must be at least 1, or 0 for 1")
        : null;
}
