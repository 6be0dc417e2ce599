using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.RateLimiters;

/// <summary>
/// Rate limiters. They are created to last: an acquire does not define the limiter. While commands wait, a timer is set to the time from
/// which the first in the queue can be served; waiters are served only then, so a command never serves others merely because time has
/// passed.
/// </summary>
internal sealed class RateLimiterMachine(IPrimitiveContext context) : PrimitiveMachine(context)
{
    private readonly ObjectMap<RateLimiterState> _rateLimiters = new(ObjectKind.RateLimiter, context);

    public override IReadOnlyList<NamedObject> ObjectsAfter(string name, int maximum) => _rateLimiters.After(name, maximum);

    /// <summary>Whether there is a rate limiter of this name.</summary>
    public bool Has(string name) => _rateLimiters.Find(name) is not null;

    public override void Apply(ObjectCommand command)
    {
        switch (command)
        {
            case CreateRateLimiter create:
                Create(create);
                break;
            case AcquirePermits acquire:
                Acquire(acquire);
                break;
            case DeleteRateLimiter delete:
                Delete(delete);
                break;
            default:
                throw NotMine(command);
        }
    }

    public override void Undo(ObjectCommand command, ObjectOutcome outcome)
    {
        if (command is AcquirePermits acquire && outcome is AcquirePermitsOutcome granted)
            UndoAcquire(acquire, granted);
    }

    public override void OnTimeout(Wait wait)
    {
        var target = (RateLimiterState)wait.Object;
        Context.Resume(wait, new AcquirePermitsOutcome(WaitStatus.Timeout, target.RetryAfter(0, Context.Now)));
        OnWaiterLeft(wait);
    }

    public override void OnWaiterLeft(Wait wait)
    {
        var target = (RateLimiterState)wait.Object;
        target.Wanted -= ((AcquirePermits)wait.Command).Count;
        Serve(target);
    }

    public override void OnTimer(ObjectTimer timer) => Serve((RateLimiterState)timer.Object);

    private void Create(CreateRateLimiter command)
    {
        var found = _rateLimiters.Find(command.Spec.Name);
        if (ValidateSpec(command.Spec, found) is { } wrong)
        {
            Context.Complete(command, wrong);
            return;
        }

        var target = found ?? new RateLimiterState(command.Spec with { Burst = command.Spec.MaxPerCall }, Context.Now);
        if (found is null)
        {
            _rateLimiters.Add(target);
            // Created before any wait, so that permits which arrive exactly at the end of a wait's timeout are in time.
            target.Timer = new ReevaluationTimer(Context.NextOrder(), target);
        }

        Context.Complete(command, new CreateRateLimiterOutcome(target.Spec));
    }

    private void Acquire(AcquirePermits command)
    {
        var target = _rateLimiters.Find(command.RateLimiter);
        if (ValidateAcquire(command, target) is { } wrong)
        {
            Context.Complete(command, wrong);
        }
        else if (target!.CanTake(command.Count, Context.Now))
        {
            Context.Complete(command, Take(target, command.Count));
        }
        else if (command.Timeout == TimeSpan.Zero)
        {
            Context.Complete(command, new AcquirePermitsOutcome(WaitStatus.Timeout, target.RetryAfter(command.Count, Context.Now)));
        }
        else if (Context.Suspend(command, command.Session, target, target.Waiters) is not null)
        {
            target.Wanted += command.Count;
            SetTimer(target);
        }
    }

    private void Delete(DeleteRateLimiter command)
    {
        if (_rateLimiters.Find(command.RateLimiter) is not { } target)
        {
            Context.Complete(command, ObjectError.NotFound(
                ObjectKind.RateLimiter, command.RateLimiter, "it was never created, or it was deleted before"));
            return;
        }

        Context.Complete(command, Done.Instance);
        StopTimer(target.Timer);
        _rateLimiters.Drop(target);
        var deleted = new ObjectError(ObjectErrorReason.NotFound, $"{target} was deleted while the operation waited")
        {
            Field = ObjectKind.RateLimiter.Field(),
        };
        while (target.Waiters.First is { } wait)
            Context.Resume(wait, deleted);
    }

    private void UndoAcquire(AcquirePermits command, AcquirePermitsOutcome granted)
    {
        if (granted.Status != WaitStatus.Ok || _rateLimiters.Find(command.RateLimiter) is not { } target)
            return;
        target.Meter.GiveBack(command.Count, granted.Ticket, Context.Now);
        Serve(target);
    }

    private void Serve(RateLimiterState target)
    {
        while (target.NextToServe(Context.Now) is { } wait)
        {
            var permits = ((AcquirePermits)wait.Command).Count;
            target.Wanted -= permits;
            Context.Resume(wait, Take(target, permits));
        }

        SetTimer(target);
    }

    private void SetTimer(RateLimiterState target)
    {
        if (target.UntilNext(Context.Now) is { } wait)
            SetTimer(target, ref target.Timer, wait);
        else
            StopTimer(target.Timer);
    }

    private AcquirePermitsOutcome Take(RateLimiterState target, long permits)
    {
        var ticket = target.Meter.Take(permits, Context.Now);
        return new AcquirePermitsOutcome(WaitStatus.Ok, TimeSpan.Zero) { Ticket = ticket };
    }

    private ObjectError? ValidateSpec(RateLimiterSpec spec, RateLimiterState? existing)
    {
        const long Most = RateLimiterSpec.MaxPermits;
        if (ObjectQuota.ValidateName(ObjectKind.RateLimiter, spec.Name) is { } name)
            return name with { Field = "spec.name" };
        if (spec.Permits is < 1 or > Most)
            return ObjectError.Invalid("spec.permits", $"permits of {spec.Permits} per period must be 1 to {Most}");
        var longest = RateLimiterSpec.MaxPeriod;
        if (spec.Period <= TimeSpan.Zero || spec.Period > longest)
        {
            return ObjectError.Invalid(
                "spec.period", $"the period of {spec.Period.TotalSeconds} s must be more than zero and at most {longest.TotalSeconds} s");
        }

        if (spec.Burst is < 0 or > Most)
            return ObjectError.Invalid("spec.burst", $"a burst of {spec.Burst} must be 1 to {Most}, or 0 for as many as permits");
        if (spec.SlidingWindow && spec.Burst != 0 && spec.Burst != spec.Permits)
        {
            return ObjectError.Invalid(
                "spec.burst", $"a burst of {spec.Burst} must be left out with sliding_window, where at most {spec.Permits} come at once");
        }

        if (existing is null)
            return _rateLimiters.ValidateNew(spec.Name);
        return existing.Spec == spec with { Burst = spec.MaxPerCall }
            ? null
            : ObjectError.Mismatch("spec", $"{existing} exists with other numbers: {existing.Describe()}");
    }

    private static ObjectError? ValidateAcquire(AcquirePermits command, RateLimiterState? target)
    {
        if (command.ValidateTimeout() is { } timeout)
            return timeout;
        if (target is null)
            return ObjectError.NotFound(ObjectKind.RateLimiter, command.RateLimiter, "create it first");
        return command.Count < 1 || command.Count > target.Spec.MaxPerCall
            ? ObjectError.Invalid(
                "permits",
                $"permits of {command.Permits} must be 1 to {target.Spec.MaxPerCall}, the most that {target} gives at once, or 0 for 1")
            : null;
    }
}
