using Orchestrator.Core.Sync;

namespace Orchestrator.Core.Objects;

/// <summary>Events. One that is not set and not waited for does not exist.</summary>
public sealed partial class ObjectEngine
{
    private readonly ObjectMap<EventState> _events;

    internal void OnWaitEvent(WaitEvent command)
    {
        var found = _events.Find(command.Event);
        if ((command.ValidateTimeout() ?? (found is null ? _events.ValidateNew(command.Event) : null)) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        if (found is { IsSet: true })
        {
            Complete(command, WaitEventOutcome.Ok);
            return;
        }

        var target = found ?? new EventState(command.Event);
        if (found is null)
            _events.Add(target);
        Suspend(command, command.Session, target, target.Waiters);
        DropIfIdle(target);
    }

    internal void OnSetEvent(SetEvent command)
    {
        var found = _events.Find(command.Event);
        var creates = found is null && command.Set;
        if ((creates ? _events.ValidateNew(command.Event) : ObjectQuota.ValidateName(ObjectKind.Event, command.Event)) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        Complete(command, found is { IsSet: true } ? SetEventOutcome.Was : SetEventOutcome.WasNot);
        var target = found ?? new EventState(command.Event);
        if (creates)
            _events.Add(target);
        target.IsSet = command.Set;
        while (target.IsSet && target.Waiters.First is { } wait)
            Resume(wait, WaitEventOutcome.Ok);
        DropIfIdle(target);
    }

    internal void DropIfIdle(EventState target)
    {
        if (!target.IsSet && !target.HasWaiters)
            _events.Drop(target);
    }
}
