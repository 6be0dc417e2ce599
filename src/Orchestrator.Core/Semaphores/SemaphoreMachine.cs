using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Semaphores;

/// <summary>Semaphores. A semaphore exists while its state differs from its initial state or while it has waiters.</summary>
internal sealed class SemaphoreMachine(IPrimitiveContext context) : PrimitiveMachine(context)
{
    private readonly ObjectMap<SemaphoreState> _semaphores = new(ObjectKind.Semaphore, context);

    public override IReadOnlyList<NamedObject> ObjectsAfter(string name, int maximum) => _semaphores.After(name, maximum);

    public override void Apply(ObjectCommand command)
    {
        switch (command)
        {
            case AcquireSemaphore acquire:
                Acquire(acquire);
                break;
            case ReleaseSemaphore release:
                Release(release);
                break;
            default:
                throw NotMine(command);
        }
    }

    public override void Undo(ObjectCommand command, ObjectOutcome outcome)
    {
        if (command is AcquireSemaphore acquire && outcome is AcquireSemaphoreOutcome granted)
            UndoAcquire(acquire, granted);
    }

    public override void OnTimeout(Wait wait)
    {
        Context.Resume(wait, new AcquireSemaphoreOutcome(WaitStatus.Timeout, null, ((SemaphoreState)wait.Object).Available));
        OnWaiterLeft(wait);
    }

    public override void OnWaiterLeft(Wait wait) => Serve((SemaphoreState)wait.Object);

    /// <summary>Returns the permits of an ended session.</summary>
    public override void OnHolderEnded(Hold hold)
    {
        var (target, held) = ((SemaphoreState)hold.Object, (SemaphoreHold)hold);
        var free = target.ComingBack(held);
        Shrink(target, held, held.Permits);
        target.AddFree(free);
        Serve(target);
    }

    public override void OnTimer(ObjectTimer timer)
    {
        var target = (SemaphoreState)timer.Object;
        StopTimer(target.Timer);
        _semaphores.Drop(target);
    }

    private void Acquire(AcquireSemaphore command)
    {
        var found = _semaphores.Find(command.Semaphore);
        if (ValidateAcquire(command, found) is { } wrong)
        {
            Context.Complete(command, wrong);
            return;
        }

        var target = found ?? new SemaphoreState(command.Semaphore, command.InitialPermits!.Value, command.Bounded);
        var canTake = target.CanTake(command.Count);
        var waits = !canTake && command.Timeout != TimeSpan.Zero;
        Session? session = null;
        if ((canTake || waits) && (session = command.Session ?? Context.OpenImplicit(command, command.Lease)) is null)
            return;
        if (found is null)
            _semaphores.Add(target);
        if (canTake)
            Context.Complete(command, Grant(target, new SessionFlow(session!, command.Flow), command.Count));
        else if (waits)
            Context.Suspend(command, session, target, target.Waiters);
        else
            Context.Complete(command, new AcquireSemaphoreOutcome(WaitStatus.Timeout, null, target.Available));
        Settle(target);
    }

    private void Release(ReleaseSemaphore command)
    {
        var found = _semaphores.Find(command.Semaphore);
        if (ValidateRelease(command, found) is { } wrong)
        {
            Context.Complete(command, wrong);
            return;
        }

        var target = found ?? new SemaphoreState(command.Semaphore, command.InitialPermits!.Value, bounded: false);
        if (found is null)
            _semaphores.Add(target);
        Context.Complete(command, new ReleaseSemaphoreOutcome(target.AvailableAfter(command.Count)));
        var left = command.Count;
        if (target.Find(command.Session) is { } own)
            left -= Shrink(target, own, left);
        if (left > 0)
            target.OnReleasedByAnother();
        while (left > 0 && target.IsBounded)
            left -= Shrink(target, target.LongestHeld(), left);
        target.AddFree(command.Count);
        Serve(target);
    }

    private void UndoAcquire(AcquireSemaphore command, AcquireSemaphoreOutcome granted)
    {
        // Permits that the session has released since then are not returned again.
        if (_semaphores.Find(command.Semaphore) is not { } target || target.Find(granted.Session) is not { } hold)
            return;
        target.AddFree(Shrink(target, hold, command.Count));
        Serve(target);
    }

    private void Serve(SemaphoreState target)
    {
        while (target.NextToServe() is { } wait)
            Context.Resume(wait, Grant(target, wait.Flow, ((AcquireSemaphore)wait.Command).Count));
        Settle(target);
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
        if (target.Take(flow, permits, Context.Now, out var hold))
            Context.AddHold(hold);
        return new AcquireSemaphoreOutcome(WaitStatus.Ok, flow.Session, target.Available);
    }

    /// <summary>Removes at most this many permits from a hold and returns how many it removed.</summary>
    private int Shrink(SemaphoreState target, SemaphoreHold hold, int atMost)
    {
        var permits = Math.Min(atMost, hold.Permits);
        if (target.Shrink(hold, permits))
            Context.RemoveHold(hold);
        return permits;
    }

    private ObjectError? ValidateAcquire(AcquireSemaphore command, SemaphoreState? target)
    {
        if (command.ValidateTimeout() is { } timeout)
            return timeout;
        if (ValidateLease(command, command.Lease) is { } lease)
            return lease;
        if (command.InitialPermits < 0)
            return ObjectError.Invalid("initial_permits", $"initial_permits of {command.InitialPermits} must be at least 0");
        if (command is { InitialPermits: 0, Bounded: true })
        {
            return ObjectError.Invalid(
                "initial_permits", "initial_permits of 0 must be at least 1 where bounded: no acquire could ever succeed");
        }

        if (ValidatePermits(command.Permits) is { } permits)
            return permits;
        if ((target is null ? ValidateCreation(command) : ValidateOther(command, target)) is { } wrong)
            return wrong;
        var initial = target?.Initial ?? command.InitialPermits!.Value;
        return (target?.IsBounded ?? command.Bounded) && command.Count > initial
            ? ObjectError.Invalid(
                "permits", $"permits of {command.Count} must be at most {initial}, all that semaphore \"{command.Semaphore}\" has")
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
                    ObjectKind.Semaphore,
                    command.Semaphore,
                    "no permit of it is taken, or it was never created; give initial_permits to create it");
            }

            return first > int.MaxValue - command.Count
                ? OverReleased($"initial_permits of {first} and {command.Count} more are above {int.MaxValue}")
                : _semaphores.ValidateNew(command.Semaphore);
        }

        if (command.InitialPermits is { } initial && initial != target.Initial)
        {
            return ObjectError.Mismatch(
                "initial_permits",
                $"{target} was created with initial_permits {target.Initial}; initial_permits of {initial} must agree or be left out");
        }

        var (most, why) = target.IsBounded
            ? (target.Initial - target.Available, $"it is bounded at {target.Initial}, of which {target.Available} are free")
            : (int.MaxValue - target.Available, $"{target.Available} are free, and it counts to {int.MaxValue}");
        return command.Count <= most
            ? null
            : OverReleased($"{target} takes at most {most} permits now, not {command.Count}: {why}");
    }

    private static ObjectError OverReleased(string message) => new(ObjectErrorReason.OverReleased, message) { Field = "permits" };

    private static ObjectError? ValidatePermits(int permits) => permits < 0
        ? ObjectError.Invalid("permits", $"permits of {permits} must be at least 1, or 0 for 1")
        : null;
}
