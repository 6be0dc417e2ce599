using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Barriers;

/// <summary>Barriers. A barrier stays between its rounds and is dropped after it has been idle for long, broken or not.</summary>
internal sealed class BarrierMachine(IPrimitiveContext context) : PrimitiveMachine(context)
{
    private readonly ObjectMap<BarrierState> _barriers = new(ObjectKind.Barrier, context);

    public override IReadOnlyList<NamedObject> ObjectsAfter(string name, int maximum) => _barriers.After(name, maximum);

    public override void Apply(ObjectCommand command)
    {
        switch (command)
        {
            case WaitBarrier wait:
                Wait(wait);
                break;
            case ControlBarrier control:
                Control(control);
                break;
            default:
                throw NotMine(command);
        }
    }

    public override void OnTimeout(Wait wait)
    {
        Context.Resume(wait, WaitBarrierOutcome.TimedOut);
        var timeout = wait.Command.Timeout!.Value.TotalSeconds;
        Break((BarrierState)wait.Object, $"the timeout of {timeout} s of {FormatSession(wait.Session)} passed");
    }

    public override void OnWaiterLeft(Wait wait)
    {
        var how = wait.Session?.End is { } end ? $"has ended: {end.Message}" : "gave up waiting";
        Break((BarrierState)wait.Object, $"{FormatSession(wait.Session)} {how}");
    }

    public override void OnTimer(ObjectTimer timer) => _barriers.Drop((BarrierState)timer.Object);

    private void Wait(WaitBarrier command)
    {
        var found = _barriers.Find(command.Barrier);
        if (ValidateBarrier(command, found) is { } wrong)
        {
            Context.Complete(command, wrong);
            return;
        }

        var target = found ?? new BarrierState(command.Barrier, command.Parties);
        if (found is null)
            _barriers.Add(target);
        if (target.Cause is { } cause)
        {
            Context.Complete(command, Broken(target, cause));
        }
        else if (target.Waiters.Count == target.Parties - 1)
        {
            var generation = target.Generation++;
            Context.Complete(command, new WaitBarrierOutcome(WaitStatus.Ok, target.Parties - 1, generation));
            for (var index = 0; target.Waiters.First is { } wait; index++)
                Context.Resume(wait, new WaitBarrierOutcome(WaitStatus.Ok, index, generation));
        }
        else if (Context.Suspend(command, command.Session, target, target.Waiters) is null && command.Timeout == TimeSpan.Zero)
        {
            // As in Python and Java: a party that does not wait for the others leaves the round incomplete.
            Break(target, $"{FormatSession(command.Session)} came with a timeout of zero");
        }

        ScheduleIdleExpiry(target);
    }

    private void Control(ControlBarrier command)
    {
        if (command.Action is not (BarrierAction.Reset or BarrierAction.Abort))
        {
            Context.Complete(command, ObjectError.Invalid("action", $"the action {(int)command.Action} must be RESET (1) or ABORT (2)"));
            return;
        }

        if (_barriers.Find(command.Barrier) is not { } target)
        {
            Context.Complete(
                command, ObjectError.NotFound(ObjectKind.Barrier, command.Barrier, "the first wait with its number of parties creates it"));
            return;
        }

        Context.Complete(command, new ControlBarrierOutcome(target.Waiters.Count));
        if (command.Action == BarrierAction.Abort || target.HasWaiters)
            Break(target, command.Action == BarrierAction.Abort ? "it was aborted" : "it was reset");
        if (command.Action == BarrierAction.Reset)
            target.Cause = null;
        ScheduleIdleExpiry(target);
    }

    /// <summary>Ends all waits; a broken barrier keeps its first cause.</summary>
    private void Break(BarrierState target, string cause)
    {
        target.Cause ??= cause;
        var broken = target.HasWaiters ? Broken(target, cause) : null;
        while (target.Waiters.First is { } wait)
            Context.Resume(wait, broken!);
        ScheduleIdleExpiry(target);
    }

    private void ScheduleIdleExpiry(BarrierState target) => ScheduleIdleExpiry(!target.HasWaiters, target, ref target.Timer);

    private static ObjectError Broken(BarrierState target, string cause) =>
        new(ObjectErrorReason.BrokenBarrier, $"{target} is broken: {cause}");

    private ObjectError? ValidateBarrier(WaitBarrier command, BarrierState? target)
    {
        if (command.ValidateTimeout() is { } timeout)
            return timeout;
        if (command.Parties < 0)
        {
            return ObjectError.Invalid(
                "parties", $"parties of {command.Parties} must be at least 1, or 0 to use the number that the barrier was created with");
        }

        if (target is not null)
        {
            return command.Parties == 0 || command.Parties == target.Parties
                ? null
                : ObjectError.Mismatch(
                    "parties", $"{target} was created for {target.Parties} parties; {command.Parties} must agree or be left out");
        }

        return command.Parties == 0
            ? ObjectError.NotFound(ObjectKind.Barrier, command.Barrier, "give its number of parties to create it")
            : _barriers.ValidateNew(command.Barrier);
    }
}
