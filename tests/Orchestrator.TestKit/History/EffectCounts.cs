using System.Globalization;

namespace Orchestrator.TestKit.History;

/// <summary>
/// Counts the effects of each operation, in any order: acknowledged ones happened once, those without a result at most once. A
/// linearization implies this; this check names the item or sum at fault.
/// </summary>
public static class EffectCounts
{
    /// <summary>The faults in the effects on a queue that has been emptied at the end; empty if there are none.</summary>
    public static IReadOnlyList<string> OfQueue(IReadOnlyList<HistoryOperation> history)
    {
        var faults = new List<string>();
        var puts = history.Where(operation => operation.Kind == QueueModel.Put && operation.Result != QueueModel.Full)
            .ToDictionary(operation => operation.Argument);
        var taken = history.Where(IsTaken).GroupBy(ItemOf).ToDictionary(group => group.Key, group => group.Count());
        foreach (var (item, times) in taken)
        {
            if (!puts.ContainsKey(item))
                faults.Add($"{item} was taken, and was never put");
            else if (times > 1)
                faults.Add($"{item} was taken {times} times");
        }

        // A get whose response was lost may have taken any one of them; a done whose response was lost only its own.
        var lostGets = history.Count(operation => operation is { Kind: QueueModel.Get, IsUnknown: true });
        var maybeDone = history.Where(operation => operation is { Kind: QueueModel.Done, IsUnknown: true })
            .Select(operation => operation.Argument).ToHashSet();
        var lost = puts.Values
            .Where(put => put.Result == QueueModel.Ok && !taken.ContainsKey(put.Argument) && !maybeDone.Contains(put.Argument))
            .Select(put => put.Argument)
            .ToArray();
        if (lost.Length > lostGets)
            faults.Add($"{lost.Length} items are gone, and at most {lostGets} can have been taken unseen: {string.Join(", ", lost)}");
        return faults;
    }

    /// <summary>The faults in the last sum of a counter; empty if there are none.</summary>
    public static IReadOnlyList<string> OfCounter(IReadOnlyList<HistoryOperation> history)
    {
        var adds = history.Where(operation => operation.Kind == CounterModel.Add).ToArray();
        var known = adds.Where(operation => !operation.IsUnknown).Sum(Amount);
        var perhaps = adds.Where(operation => operation.IsUnknown).Sum(Amount);
        var last = history.Where(operation => operation is { Kind: CounterModel.Read, IsUnknown: false })
            .MaxBy(operation => operation.Invoked);
        if (last is null)
            return ["the counter was not read at the end"];
        var sum = long.Parse(last.Result!, CultureInfo.InvariantCulture);
        return sum >= known && sum <= known + perhaps
            ? []
            : [$"the sum is {sum}; what was acknowledged comes to {known}, and what is not known to at most {perhaps} more"];
    }

    private static bool IsTaken(HistoryOperation operation) => operation switch
    {
        { Kind: QueueModel.Get, IsUnknown: false } => operation.Result != QueueModel.Empty,
        { Kind: QueueModel.Done } => operation.Result == QueueModel.Ok,
        _ => false,
    };

    private static string ItemOf(HistoryOperation operation) => operation.Kind == QueueModel.Get ? operation.Result! : operation.Argument;

    private static long Amount(HistoryOperation operation) => long.Parse(operation.Argument, CultureInfo.InvariantCulture);
}
