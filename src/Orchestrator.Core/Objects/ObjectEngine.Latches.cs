using Orchestrator.Core.Sync;

namespace Orchestrator.Core.Objects;

/// <summary>Latches.</summary>
public sealed partial class ObjectEngine
{
    private readonly ObjectMap<LatchState> _latches;

    internal void OnWaitLatch(WaitLatch command)
    {
        var found = _latches.Find(command.Latch);
        if ((command.ValidateTimeout() ?? ValidateLatch(command.Latch, command.Count, found)) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        var target = found ?? Create(command.Latch, command.Count);
        if (target.Remaining == 0)
            Complete(command, WaitLatchOutcome.Open);
        else if (command.Timeout == TimeSpan.Zero)
            Complete(command, new WaitLatchOutcome(WaitStatus.Timeout, target.Remaining));
        else
            Suspend(command, command.Session, target, target.Waiters);
        Rest(target);
    }

    internal void OnCountDownLatch(CountDownLatch command)
    {
        var found = _latches.Find(command.Latch);
        var by = command.By == 0 ? 1 : command.By;
        if ((ValidateLatch(command.Latch, command.Count, found) ?? ValidateCountDown(command.Latch, by, found?.Remaining ?? command.Count)) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        var target = found ?? Create(command.Latch, command.Count);
        target.Remaining -= by;
        Complete(command, new CountDownLatchOutcome(target.Remaining));
        while (target.Remaining == 0 && target.Waiters.First is { } wait)
            Resume(wait, WaitLatchOutcome.Open);
        Rest(target);
    }

    internal void Rest(LatchState target) => ScheduleIdleExpiry(target.IsIdle, target, ref target.Timer);

    internal void DropIdle(LatchState target) => _latches.Drop(target);

    private LatchState Create(string name, long count)
    {
        var target = new LatchState(name, count);
        _latches.Add(target);
        return target;
    }

    private ObjectError? ValidateLatch(string name, long count, LatchState? target)
    {
        if (count < 0)
            return ObjectError.Invalid("count", $"a count of {count} must be at least 1, or 0 to use the count that the latch was created with");
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
            : new ObjectError(ObjectErrorReason.OverReleased, $"latch \"{name}\" has {remaining} left and cannot be counted down by {by}") { Field = "by" };
    }
}
