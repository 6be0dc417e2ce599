using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Events;

/// <summary>A flag that exists while it is set or waited for. Any session may set it, so a wait has no blockers.</summary>
internal sealed class EventState(string name) : NamedObject(ObjectKind.Event, name)
{
    public bool IsSet { get; set; }

    public override WaiterQueue Waiters { get; } = new();

    public override bool HasWaiters => Waiters.Count > 0;

    public override string Describe() => IsSet ? "set" : $"not set, {Waiters.Count} waiting";
}
