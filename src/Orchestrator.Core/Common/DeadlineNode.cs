namespace Orchestrator.Core.Common;

/// <summary>A member of a <see cref="DeadlineHeap{T}"/>, with one deadline at a time.</summary>
public abstract class DeadlineNode
{
    internal long Deadline = long.MaxValue;
    internal int HeapIndex = -1;

    private protected DeadlineNode(long order) => Order = order;

    /// <summary>Breaks ties between equal deadlines, so that the order does not depend on the heap's history.</summary>
    internal long Order { get; }
}
