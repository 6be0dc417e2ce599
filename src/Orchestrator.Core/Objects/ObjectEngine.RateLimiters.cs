using Orchestrator.Core.Sync;

namespace Orchestrator.Core.Objects;

/// <summary>
/// Rate limiters. They are created to last: an acquire does not define the limiter. While commands wait, a timer is set to the time from
/// which the first in the queue can be served; waiters are served only then, so a command never serves others merely because time has
/// passed.
/// </summary>
public sealed partial class ObjectEngine
{
    private readonly ObjectMap<RateLimiterState> _rateLimiters;

    /// <summary>Whether there is a rate limiter of this name.</summary>
    public bool HasRateLimiter(string name) => _rateLimiters.Find(name) is not null;

    internal void OnCreateRateLimiter(CreateRateLimiter command)
    {
        var found = _rateLimiters.Find(command.Spec.Name);
        if (ValidateSpec(command.Spec, found) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        var target = found ?? new RateLimiterState(command.Spec with { Burst = command.Spec.MaxPerCall }, Now);
        if (found is null)
        {
            _rateLimiters.Add(target);
            // Created before any wait, so that permits which arrive exactly at the end of a wait's timeout are in time.
            target.Timer = new ReevaluationTimer(NextOrder(), target);
        }

        Complete(command, new CreateRateLimiterOutcome(target.Spec));
    }

    internal void OnAcquirePermits(AcquirePermits command)
    {
        var target = _rateLimiters.Find(command.RateLimiter);
        if (ValidateAcquire(command, target) is { } wrong)
        {
            Complete(command, wrong);
        }
        else if (target!.CanTake(command.Count, Now))
        {
            Complete(command, Take(target, command.Count));
        }
        else if (command.Timeout == TimeSpan.Zero)
        {
            Complete(command, new AcquirePermitsOutcome(WaitStatus.Timeout, target.RetryAfter(command.Count, Now)));
        }
        else if (Suspend(command, command.Session, target, target.Waiters) is not null)
        {
            target.Wanted += command.Count;
            SetTimer(target);
        }
    }

    internal void OnDeleteRateLimiter(DeleteRateLimiter command)
    {
        if (_rateLimiters.Find(command.RateLimiter) is not { } target)
        {
            Complete(command, ObjectError.NotFound(ObjectKind.RateLimiter, command.RateLimiter, "it was never created, or it was deleted before"));
            return;
        }

        Complete(command, Done.Instance);
        StopTimer(target.Timer);
        _rateLimiters.Drop(target);
        var gone = new ObjectError(ObjectErrorReason.NotFound, $"{target} was deleted while the operation waited") { Field = ObjectKind.RateLimiter.Field() };
        while (target.Waiters.First is { } wait)
            Resume(wait, gone);
    }

    internal void UndoAcquirePermits(AcquirePermits command, AcquirePermitsOutcome granted)
    {
        if (granted.Status != WaitStatus.Ok || _rateLimiters.Find(command.RateLimiter) is not { } target)
            return;
        target.Meter.GiveBack(command.Count, granted.Ticket, Now);
        ServeRateLimiter(target);
    }

    internal void ServeRateLimiter(RateLimiterState target)
    {
        while (target.NextToServe(Now) is { } wait)
        {
            var permits = ((AcquirePermits)wait.Command).Count;
            target.Wanted -= permits;
            Resume(wait, Take(target, permits));
        }

        SetTimer(target);
    }

    private void SetTimer(RateLimiterState target)
    {
        if (target.UntilNext(Now) is { } wait)
            SetTimer(target, ref target.Timer, wait);
        else
            StopTimer(target.Timer);
    }

    private AcquirePermitsOutcome Take(RateLimiterState target, long permits)
    {
        var ticket = target.Meter.Take(permits, Now);
        return new AcquirePermitsOutcome(WaitStatus.Ok, TimeSpan.Zero) { Ticket = ticket };
    }

    private ObjectError? ValidateSpec(RateLimiterSpec spec, RateLimiterState? existing)
    {
        const long most = RateLimiterSpec.MaxPermits;
        if (ObjectQuota.ValidateName(ObjectKind.RateLimiter, spec.Name) is { } name)
            return name with { Field = "spec.name" };
        if (spec.Permits is < 1 or > most)
            return ObjectError.Invalid("spec.permits", $"permits of {spec.Permits} per period must be 1 to {most}");
        if (spec.Period <= TimeSpan.Zero || spec.Period > RateLimiterSpec.MaxPeriod)
        {
            return ObjectError.Invalid(
                "spec.period", $"the period of {spec.Period.TotalSeconds} s must be more than zero and at most {RateLimiterSpec.MaxPeriod.TotalSeconds} s");
        }

        if (spec.Burst is < 0 or > most)
            return ObjectError.Invalid("spec.burst", $"a burst of {spec.Burst} must be 1 to {most}, or 0 for as many as permits");
        if (spec.SlidingWindow && spec.Burst != 0 && spec.Burst != spec.Permits)
            return ObjectError.Invalid("spec.burst", $"a burst of {spec.Burst} must be left out with sliding_window, where at most {spec.Permits} come at once");
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
            ? ObjectError.Invalid("permits", $"permits of {command.Permits} must be 1 to {target.Spec.MaxPerCall}, the most that {target} gives at once, or 0 for 1")
            : null;
    }
}
