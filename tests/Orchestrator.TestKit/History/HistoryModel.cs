namespace Orchestrator.TestKit.History;

/// <summary>What an object does when one operation comes after the other: the specification that a concurrent history is held against.</summary>
/// <typeparam name="TState">Immutable, and equal by value: the checker remembers which states it has seen.</typeparam>
public abstract class HistoryModel<TState>
    where TState : notnull
{
    /// <summary>Before the first operation.</summary>
    public abstract TState Initial { get; }

    /// <summary>
    /// The states that the operation may lead to; none where its result is impossible in this state. An operation without a result is
    /// asked only for what it does if it happens.
    /// </summary>
    public abstract IEnumerable<TState> Apply(TState state, HistoryOperation operation);

    /// <summary>Whether the operation, with the result that it had, changes nothing in whatever state it is possible: a read, or a refusal.</summary>
    public abstract bool IsReadOnly(HistoryOperation operation);

    /// <summary>How many more things its client holds, at most, after this operation: what the end of its session has to give back.</summary>
    public abstract int Holds(HistoryOperation operation);
}
