using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Latches;

/// <summary>Latches.</summary>
internal sealed class LatchMachine(IPrimitiveContext context) : PrimitiveMachine(context)
{
    private readonly ObjectMap<LatchState> _latches = new(ObjectKind.Latch, context);

    public override IReadOnlyList<NamedObject> ObjectsAfter(string name, int maximum) => _latches.After(name, maximum);

    public override void Apply(ObjectCommand command)
    {
        switch (command)
        {
            case WaitLatch wait:
                Wait(wait);
                break;
            case CountDownLatch countDown:
                CountDown(countDown);
                break;
            default:
                throw NotMine(command);
        }
    }

    public override void OnTimeout(Wait wait)
    {
        Context.Resume(wait, new WaitLatchOutcome(WaitStatus.Timeout, ((LatchState)wait.Object).Remaining));
        OnWaiterLeft(wait);
    }

    public override void OnWaiterLeft(Wait wait) => ScheduleIdleExpiry((LatchState)wait.Object);

    public override void OnTimer(ObjectTimer timer) => _latches.Drop((LatchState)timer.Object);

    private void Wait(WaitLatch command)
    {
        var found = _latches.Find(command.Latch);
        if ((command.ValidateTimeout() ?? ValidateLatch(command.Latch, command.Count, found)) is { } wrong)
        {
            Context.Complete(command, wrong);
            return;
        }

        var target = found ?? Create(command.Latch, command.Count);
        if (target.Remaining == 0)
            Context.Complete(command, WaitLatchOutcome.Open);
        else if (command.Timeout == TimeSpan.Zero)
            Context.Complete(command, new WaitLatchOutcome(WaitStatus.Timeout, target.Remaining));
        else
            Context.Suspend(command, command.Session, target, target.Waiters);
        ScheduleIdleExpiry(target);
    }

    private void CountDown(CountDownLatch command)
    {
        var found = _latches.Find(command.Latch);
        var by = command.By == 0 ? 1 : command.By;
        var wrong = ValidateLatch(command.Latch, command.Count, found)
            ?? ValidateCountDown(command.Latch, by, found?.Remaining ?? command.Count);
        if (wrong is not null)
        {
            Context.Complete(command, wrong);
            return;
        }

        var target = found ?? Create(command.Latch, command.Count);
        target.Remaining -= by;
        Context.Complete(command, new CountDownLatchOutcome(target.Remaining));
        while (target.Remaining == 0 && target.Waiters.First is { } wait)
            Context.Resume(wait, WaitLatchOutcome.Open);
        ScheduleIdleExpiry(target);
    }

    private void ScheduleIdleExpiry(LatchState target) => ScheduleIdleExpiry(target.IsIdle, target, ref target.Timer);

    private LatchState Create(string name, long count)
    {
        var target = new LatchState(name, count);
        _latches.Add(target);
        return target;
    }

    private ObjectError? ValidateLatch(string name, long count, LatchState? target)
    {
        if (count < 0)
        {
            return ObjectError.Invalid(
                "count", $"a count of {count} must be at least 1, or 0 to use the count that the latch was created with");
        }

        if (target is not null)
        {
            return count == 0 || count == target.Count
                ? null
                : ObjectError.Mismatch("count", $"{target} was created with a count of {target.Count}; {count} must agree or be left out");
        }

        return count == 0 ? ObjectError.NotFound(ObjectKind.Latch, name, "give its count to create it") : _latches.ValidateNew(name);
    }

    private static ObjectError? ValidateCountDown(string name, long by, long remaining)
    {
        if (by < 0)
            return ObjectError.Invalid("by", $"by of {by} must be at least 1, or 0 for 1: a latch never counts up");
        return by <= remaining
            ? null
            : new ObjectError(ObjectErrorReason.OverReleased, $"latch \"{name}\" has {remaining} left and cannot be counted down by {by}")
            {
                Field = "by",
            };
    }
}
