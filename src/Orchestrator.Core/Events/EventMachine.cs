using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Events;

/// <summary>Events. One that is not set and not waited for does not exist.</summary>
internal sealed class EventMachine(IPrimitiveContext context) : PrimitiveMachine(context)
{
    private readonly ObjectMap<EventState> _events = new(ObjectKind.Event, context);

    public override IReadOnlyList<NamedObject> ObjectsAfter(string name, int maximum) => _events.After(name, maximum);

    public override void Apply(ObjectCommand command)
    {
        switch (command)
        {
            case WaitEvent wait:
                Wait(wait);
                break;
            case SetEvent set:
                Set(set);
                break;
            default:
                throw NotMine(command);
        }
    }

    public override void OnWaiterLeft(Wait wait) => DropIfIdle((EventState)wait.Object);

    private void Wait(WaitEvent command)
    {
        var found = _events.Find(command.Event);
        if ((command.ValidateTimeout() ?? (found is null ? _events.ValidateNew(command.Event) : null)) is { } wrong)
        {
            Context.Complete(command, wrong);
            return;
        }

        if (found is { IsSet: true })
        {
            Context.Complete(command, WaitEventOutcome.Ok);
            return;
        }

        var target = found ?? new EventState(command.Event);
        if (found is null)
            _events.Add(target);
        Context.Suspend(command, command.Session, target, target.Waiters);
        DropIfIdle(target);
    }

    private void Set(SetEvent command)
    {
        var found = _events.Find(command.Event);
        var creates = found is null && command.Set;
        if ((creates ? _events.ValidateNew(command.Event) : ObjectQuota.ValidateName(ObjectKind.Event, command.Event)) is { } wrong)
        {
            Context.Complete(command, wrong);
            return;
        }

        Context.Complete(command, found is { IsSet: true } ? SetEventOutcome.Was : SetEventOutcome.WasNot);
        var target = found ?? new EventState(command.Event);
        if (creates)
            _events.Add(target);
        target.IsSet = command.Set;
        while (target.IsSet && target.Waiters.First is { } wait)
            Context.Resume(wait, WaitEventOutcome.Ok);
        DropIfIdle(target);
    }

    private void DropIfIdle(EventState target)
    {
        if (!target.IsSet && !target.HasWaiters)
            _events.Drop(target);
    }
}
