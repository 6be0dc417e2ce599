using Orchestrator.Core.Objects;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Sync;

/// <summary>A flag while it is set or waited for. Anybody may set it, so nobody in particular is waited for.</summary>
internal sealed class EventState(string name) : NamedObject(ObjectKind.Event, name)
{
    public bool IsSet { get; set; }

    public override WaiterQueue Waiters { get; } = new();

    public override bool HasWaiters => Waiters.Count > 0;

    public override void OnWaiterLeft(ObjectEngine engine, Wait wait) => engine.DropIfIdle(this);

    public override string Describe() => IsSet ? "set" : $"not set, {Waiters.Count} waiting";
}
