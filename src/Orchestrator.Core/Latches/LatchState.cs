using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Latches;

/// <summary>A count that only falls. Any session may count it down, so a wait has no blockers.</summary>
internal sealed class LatchState(string name, long count) : NamedObject(ObjectKind.Latch, name)
{
    private ReevaluationTimer? _timer;

    /// <summary>The initial count.</summary>
    public long Count { get; } = count;

    public long Remaining { get; set; } = count;

    public override WaiterQueue Waiters { get; } = new();

    public override bool HasWaiters => Waiters.Count > 0;

    /// <summary>Whether it can be dropped unnoticed: a count between its first and its last belongs to work in progress.</summary>
    public bool IsIdle => !HasWaiters && (Remaining == 0 || Remaining == Count);

    public ref ReevaluationTimer? Timer => ref _timer;

    public override string Describe() => $"{Remaining} of {Count} left, {Waiters.Count} waiting";
}
