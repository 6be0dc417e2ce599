using Orchestrator.Core.Sync;

namespace Orchestrator.Core.Objects;

/// <summary>Barriers. A barrier stays between its rounds and is dropped after it has been idle for long, broken or not.</summary>
public sealed partial class ObjectEngine
{
    private readonly ObjectMap<BarrierState> _barriers;

    internal void OnWaitBarrier(WaitBarrier command)
    {
        var found = _barriers.Find(command.Barrier);
        if (ValidateBarrier(command, found) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        var target = found ?? new BarrierState(command.Barrier, command.Parties);
        if (found is null)
            _barriers.Add(target);
        if (target.Cause is { } cause)
        {
            Complete(command, Broken(target, cause));
        }
        else if (target.Waiters.Count == target.Parties - 1)
        {
            var generation = target.Generation++;
            Complete(command, new WaitBarrierOutcome(WaitStatus.Ok, target.Parties - 1, generation));
            for (var index = 0; target.Waiters.First is { } wait; index++)
                Resume(wait, new WaitBarrierOutcome(WaitStatus.Ok, index, generation));
        }
        else if (Suspend(command, command.Session, target, target.Waiters) is null && command.Timeout == TimeSpan.Zero)
        {
            // As in Python and Java: a party that does not wait for the others leaves the round incomplete.
            BreakBarrier(target, $"{FormatSession(command.Session)} came with a timeout of zero");
        }

        Rest(target);
    }

    internal void OnControlBarrier(ControlBarrier command)
    {
        if (command.Action is not (BarrierAction.Reset or BarrierAction.Abort))
        {
            Complete(command, ObjectError.Invalid("action", $"the action {(int)command.Action} must be RESET (1) or ABORT (2)"));
            return;
        }

        if (_barriers.Find(command.Barrier) is not { } target)
        {
            Complete(command, ObjectError.NotFound(ObjectKind.Barrier, command.Barrier, "the first wait with its number of parties creates it"));
            return;
        }

        Complete(command, new ControlBarrierOutcome(target.Waiters.Count));
        if (command.Action == BarrierAction.Abort || target.HasWaiters)
            BreakBarrier(target, command.Action == BarrierAction.Abort ? "it was aborted" : "it was reset");
        if (command.Action == BarrierAction.Reset)
            target.Cause = null;
        Rest(target);
    }

    /// <summary>Ends all waits; a broken barrier keeps its first cause.</summary>
    internal void BreakBarrier(BarrierState target, string cause)
    {
        target.Cause ??= cause;
        var broken = target.HasWaiters ? Broken(target, cause) : null;
        while (target.Waiters.First is { } wait)
            Resume(wait, broken!);
        Rest(target);
    }

    internal void DropIdle(BarrierState target) => _barriers.Drop(target);

    private void Rest(BarrierState target) => ScheduleIdleExpiry(!target.HasWaiters, target, ref target.Timer);

    private static ObjectError Broken(BarrierState target, string cause) =>
        new(ObjectErrorReason.BrokenBarrier, $"{target} is broken: {cause}");

    private ObjectError? ValidateBarrier(WaitBarrier command, BarrierState? target)
    {
        if (command.ValidateTimeout() is { } timeout)
            return timeout;
        if (command.Parties < 0)
            return ObjectError.Invalid("parties", $"parties of {command.Parties} must be at least 1, or 0 to use the number that the barrier was created with");
        if (target is not null)
        {
            return command.Parties == 0 || command.Parties == target.Parties
                ? null
                : ObjectError.Mismatch("parties", $"{target} was created for {target.Parties} parties; {command.Parties} must agree or be left out");
        }

        return command.Parties == 0
            ? ObjectError.NotFound(ObjectKind.Barrier, command.Barrier, "give its number of parties to create it")
            : _barriers.ValidateNew(command.Barrier);
    }
}
