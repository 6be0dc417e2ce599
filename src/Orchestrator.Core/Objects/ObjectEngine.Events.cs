using Orchestrator.Core.Sync;

namespace Orchestrator.Core.Objects;

/// <summary>Events. One that is not set and not waited for does not exist.</summary>
public sealed partial class ObjectEngine
{
    private readonly ObjectTable<SyncEvent> _events;

    internal void OnWaitEvent(WaitEvent command)
    {
        var found = _events.Find(command.Event);
        if ((RefuseTimeout(command) ?? (found is null ? _events.Refuse(command.Event) : null)) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        if (found is { IsSet: true })
        {
            Complete(command, WaitEventOutcome.Ok);
            return;
        }

        var target = found ?? new SyncEvent(command.Event);
        if (found is null)
            _events.Add(target);
        Await(command, command.Session, target, target.Waiters);
        DropIfIdle(target);
    }

    internal void OnSetEvent(SetEvent command)
    {
        var found = _events.Find(command.Event);
        var creates = found is null && command.Set;
        if ((creates ? _events.Refuse(command.Event) : ObjectCensus.RefuseName(ObjectKind.Event, command.Event)) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        Complete(command, found is { IsSet: true } ? SetEventOutcome.Was : SetEventOutcome.WasNot);
        var target = found ?? new SyncEvent(command.Event);
        if (creates)
            _events.Add(target);
        target.IsSet = command.Set;
        while (target.IsSet && target.Waiters.First is { } wait)
            Finish(wait, WaitEventOutcome.Ok);
        DropIfIdle(target);
    }

    internal void DropIfIdle(SyncEvent target)
    {
        if (!target.IsSet && !target.HasWaiters)
            _events.Drop(target);
    }
}
