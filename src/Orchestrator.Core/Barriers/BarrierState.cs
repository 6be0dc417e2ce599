using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Barriers;

/// <summary>
/// A meeting point. A wait's place in the queue is its index; since a wait that leaves breaks the barrier, no index is assigned twice. A
/// wait has no blockers: the missing parties are unknown.
/// </summary>
internal sealed class BarrierState(string name, int parties) : NamedObject(ObjectKind.Barrier, name)
{
    private ReevaluationTimer? _timer;

    public int Parties => parties;

    public override WaiterQueue Waiters { get; } = new();

    /// <summary>How many rounds have been complete.</summary>
    public long Generation { get; set; }

    /// <summary>Why it is broken; null while it is not.</summary>
    public string? Cause { get; set; }

    public ref ReevaluationTimer? Timer => ref _timer;

    public override bool HasWaiters => Waiters.Count > 0;

    public override string Describe() =>
        $"{Waiters.Count} of {parties} parties wait, {Generation} rounds complete{(Cause is { } cause ? $", broken: {cause}" : "")}";
}
