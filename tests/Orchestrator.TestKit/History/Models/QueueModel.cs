namespace Orchestrator.TestKit.History;

/// <summary>An item in a queue, and its lease holder.</summary>
/// <param name="Value">The item; no two are equal.</param>
/// <param name="Holder">The client with the lease; null while the item is ready.</param>
/// <param name="IsTentative">Taken by a get whose response was lost: removed for good, or returned when the getter's session ends.</param>
public sealed record QueueSlot(string Value, string? Holder, bool IsTentative = false);

/// <summary>
/// A bounded FIFO queue. Returned items precede all others, and are ordered by their puts among themselves; so the ready items are always
/// in the order of the puts.
/// </summary>
/// <param name="capacity">Its bound, against which leased items count, too.</param>
public sealed class QueueModel(int capacity) : HistoryModel<ValueList<QueueSlot>>
{
    /// <summary>Argument: the item. Result: <see cref="Ok"/> or <see cref="Full"/>.</summary>
    public const string Put = "put";

    /// <summary>Takes without a lease. Result: the item or <see cref="Empty"/>.</summary>
    public const string Get = "get";

    /// <summary>Takes on lease. Result: the item or <see cref="Empty"/>.</summary>
    public const string Lease = "lease";

    /// <summary>Argument: the item. Result: <see cref="Ok"/> or <see cref="Stale"/>.</summary>
    public const string Done = "done";

    /// <summary>Argument: the item. Result: <see cref="Ok"/>.</summary>
    public const string Return = "return";

    /// <summary>It succeeded.</summary>
    public const string Ok = "ok";

    /// <summary>There was no room.</summary>
    public const string Full = "full";

    /// <summary>Nothing was ready.</summary>
    public const string Empty = "empty";

    /// <summary>The lease had ended.</summary>
    public const string Stale = "stale";

    /// <inheritdoc/>
    public override ValueList<QueueSlot> Initial => ValueList.Empty<QueueSlot>();

    /// <inheritdoc/>
    public override IEnumerable<ValueList<QueueSlot>> Apply(ValueList<QueueSlot> state, HistoryOperation operation) => operation.Kind switch
    {
        Put => ApplyPut(state, operation),
        Get or Lease => ApplyTake(state, operation),
        Done => ApplyDone(state, operation),
        Return => [state.FindIndex(IsLeaseOf(operation)) is >= 0 and var index
            ? state.With(index, state.Items[index] with { Holder = null }) : state],
        HistoryOperation.SessionEnd => ApplyEnd(state, operation.Client),
        _ => throw new ArgumentException($"a queue has no operation {operation.Kind}", nameof(operation)),
    };

    /// <inheritdoc/>
    public override bool IsReadOnly(HistoryOperation operation) => operation.Result is Full or Empty or Stale;

    /// <inheritdoc/>
    public override int Holds(HistoryOperation operation) => operation.Kind switch
    {
        Get => operation.IsUnknown ? 1 : 0,
        Lease => operation.Result == Empty ? 0 : 1,
        Done or Return => operation.IsUnknown ? 0 : -1,
        _ => 0,
    };

    private IEnumerable<ValueList<QueueSlot>> ApplyPut(ValueList<QueueSlot> state, HistoryOperation operation)
    {
        var fits = state.Count < capacity;
        if (operation.Result == Full)
            return fits ? [] : [state];
        return fits ? [state.Add(new QueueSlot(operation.Argument, null))] : [];
    }

    private static IEnumerable<ValueList<QueueSlot>> ApplyTake(ValueList<QueueSlot> state, HistoryOperation operation)
    {
        var first = state.FindIndex(slot => slot.Holder is null);
        if (first < 0)
            return operation.Result == Empty ? [state] : [];
        var slot = state.Items[first];
        if (!operation.IsUnknown && slot.Value != operation.Result)
            return [];
        return operation switch
        {
            { Kind: Lease } => [state.With(first, slot with { Holder = operation.Client })],
            { IsUnknown: true } => [state.With(first, slot with { Holder = operation.Client, IsTentative = true })],
            _ => [state.RemoveAt(first)],
        };
    }

    private static IEnumerable<ValueList<QueueSlot>> ApplyDone(ValueList<QueueSlot> state, HistoryOperation operation)
    {
        var index = state.FindIndex(IsLeaseOf(operation));
        if (operation.Result == Stale)
            return index < 0 ? [state] : [];
        return index < 0 ? [] : [state.RemoveAt(index)];
    }

    private static IEnumerable<ValueList<QueueSlot>> ApplyEnd(ValueList<QueueSlot> state, string client)
    {
        yield return state.Select(slot => slot.Holder == client ? new QueueSlot(slot.Value, null) : slot);
        if (state.FindIndex(slot => slot.IsTentative && slot.Holder == client) >= 0)
        {
            yield return state.Without(slot => slot.IsTentative && slot.Holder == client)
                .Select(slot => slot.Holder == client ? new QueueSlot(slot.Value, null) : slot);
        }
    }

    private static Func<QueueSlot, bool> IsLeaseOf(HistoryOperation operation) =>
        slot => slot.Value == operation.Argument && slot.Holder == operation.Client && !slot.IsTentative;
}
