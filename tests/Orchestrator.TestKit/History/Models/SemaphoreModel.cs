using System.Globalization;

namespace Orchestrator.TestKit.History;

/// <summary>
/// A bounded semaphore, of which one permit at a time is acquired and released. With more at a time a wait could also time out behind
/// another's, which this model would not allow.
/// </summary>
/// <param name="permits">How many there are.</param>
public sealed class SemaphoreModel(int permits) : HistoryModel<ValueList<string>>
{
    /// <summary>Result: <see cref="Ok"/> or <see cref="Timeout"/>.</summary>
    public const string Acquire = "acquire";

    /// <summary>Result: the number of free permits afterwards, after serving the waiters.</summary>
    public const string Release = "release";

    /// <summary>It succeeded.</summary>
    public const string Ok = "ok";

    /// <summary>All permits were taken all the time.</summary>
    public const string Timeout = "timeout";

    /// <inheritdoc/>
    public override ValueList<string> Initial => ValueList.Empty<string>();

    /// <inheritdoc/>
    public override IEnumerable<ValueList<string>> Apply(ValueList<string> state, HistoryOperation operation) => operation.Kind switch
    {
        Acquire when operation.Result == Timeout => state.Count < permits ? [] : [state],
        Acquire => state.Count < permits ? [Sorted(state, operation.Client)] : [],
        Release => ApplyRelease(state, operation),
        HistoryOperation.SessionEnd => [state.Without(holder => holder == operation.Client)],
        _ => throw new ArgumentException($"a semaphore has no operation {operation.Kind}", nameof(operation)),
    };

    /// <inheritdoc/>
    public override bool IsReadOnly(HistoryOperation operation) => operation.Result == Timeout;

    /// <inheritdoc/>
    public override int Holds(HistoryOperation operation) => operation.Kind switch
    {
        Acquire => operation.Result == Timeout ? 0 : 1,
        Release => operation.IsUnknown ? 0 : -1,
        _ => 0,
    };

    private IEnumerable<ValueList<string>> ApplyRelease(ValueList<string> state, HistoryOperation operation)
    {
        var index = state.FindIndex(holder => holder == operation.Client);
        if (index < 0)
            return [];
        var next = state.RemoveAt(index);
        if (operation.IsUnknown)
            return [next];
        var free = int.Parse(operation.Result!, CultureInfo.InvariantCulture);
        return free >= 0 && free <= permits - next.Count ? [next] : [];
    }

    // The order of the holders does not matter: one state, not many.
    private static ValueList<string> Sorted(ValueList<string> state, string client)
    {
        var sorted = ValueList.Empty<string>();
        foreach (var holder in state.Items.Add(client).Sort(StringComparer.Ordinal))
            sorted = sorted.Add(holder);
        return sorted;
    }
}
