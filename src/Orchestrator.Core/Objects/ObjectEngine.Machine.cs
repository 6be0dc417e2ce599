using Orchestrator.Core.Journal;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Sessions;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Objects;

/// <summary>The primitives that have no machine of their own yet.</summary>
public sealed partial class ObjectEngine
{
    internal long Now => _kernel.Now;

    internal void Complete(ObjectCommand command, ObjectOutcome outcome) => _kernel.Complete(command, outcome);

    internal Wait? Suspend(WaitingCommand command, Session? session, NamedObject target, WaiterQueue list, Wait? after = null) =>
        _kernel.Suspend(command, session, target, list, after);

    internal void Resume(Wait wait, ObjectOutcome outcome) => _kernel.Resume(wait, outcome);

    internal void MoveWait(Wait wait, NamedObject target, WaiterQueue list, Wait? after = null) => _kernel.MoveWait(wait, target, list, after);

    internal ObjectError? ValidateNoCycle(Wait wait) => _kernel.ValidateNoCycle(wait);

    internal Session? OpenImplicit(ObjectCommand command, TimeSpan? lease) => _kernel.OpenImplicit(command, lease);

    internal ObjectError? ValidateTtl(string field, TimeSpan? ttl) => _kernel.ValidateTtl(field, ttl);

    internal void AddHold(Hold hold) => _kernel.AddHold(hold);

    internal void RemoveHold(Hold hold) => _kernel.RemoveHold(hold);

    internal long NextOrder() => _kernel.NextOrder();

    internal long After(TimeSpan span) => _kernel.After(span);

    internal void SetTimer(ObjectTimer timer, long deadline) => _kernel.SetTimer(timer, deadline);

    internal void ClearTimer(ObjectTimer timer) => _kernel.ClearTimer(timer);

    internal void SetTimer(NamedObject target, ref ReevaluationTimer? timer, TimeSpan after)
    {
        timer ??= new ReevaluationTimer(NextOrder(), target);
        SetTimer(timer, After(after));
    }

    internal void StopTimer(ReevaluationTimer? timer)
    {
        if (timer is not null)
            ClearTimer(timer);
    }

    internal void ScheduleIdleExpiry(bool idle, NamedObject target, ref ReevaluationTimer? timer)
    {
        if (idle)
            SetTimer(target, ref timer, _options.IdleTtl);
        else
            StopTimer(timer);
    }

    internal static string FormatSession(Session? session) => session?.ToString() ?? "a waiter without a session";

    private ObjectError? ValidateDurable(Durability level) => _kernel.ValidateDurable(level);

    private void Record(ObjectChange change, Durability level) => _kernel.Record(change, level);

    private ObjectError? ValidateShare(ClientObjectQuota? client, long more) => _kernel.ValidateShare(client, more);

    private sealed class EngineMachine(ObjectEngine engine) : PrimitiveMachine(engine._kernel)
    {
        public override void Apply(ObjectCommand command) => command.ApplyTo(engine);

        public override void Undo(ObjectCommand command, ObjectOutcome outcome) => command.Undo(engine, outcome);

        public override void OnTimeout(Wait wait) => wait.Object.OnTimeout(engine, wait);

        public override void OnWaiterLeft(Wait wait) => wait.Object.OnWaiterLeft(engine, wait);

        public override void OnHolderGone(Hold hold) => hold.Object.OnHolderGone(engine, hold);

        public override void OnTimer(ObjectTimer timer) => timer.OnDue(engine);
    }
}
