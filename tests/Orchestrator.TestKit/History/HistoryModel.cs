namespace Orchestrator.TestKit.History;

/// <summary>An object's sequential behaviour: the specification against which a concurrent history is checked.</summary>
/// <typeparam name="TState">Immutable, and equal by value: the checker remembers which states it has seen.</typeparam>
public abstract class HistoryModel<TState>
    where TState : notnull
{
    /// <summary>The state before the first operation.</summary>
    public abstract TState Initial { get; }

    /// <summary>
    /// The states that the operation may lead to; none where its result is impossible in this state. For an operation without a result, the
    /// states if it happens.
    /// </summary>
    public abstract IEnumerable<TState> Apply(TState state, HistoryOperation operation);

    /// <summary>
    /// Whether the operation, with its result, changes nothing in any state in which it is possible: a read, or a rejection.
    /// </summary>
    public abstract bool IsReadOnly(HistoryOperation operation);

    /// <summary>
    /// The maximum number of additional holds of its client after this operation: what the end of its session must release.
    /// </summary>
    public abstract int Holds(HistoryOperation operation);
}
