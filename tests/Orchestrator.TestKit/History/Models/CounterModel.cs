using System.Globalization;

namespace Orchestrator.TestKit.History;

/// <summary>A number with additions.</summary>
public sealed class CounterModel : HistoryModel<long>
{
    /// <summary>Argument: the addend. Result: the sum.</summary>
    public const string Add = "add";

    /// <summary>Result: the number.</summary>
    public const string Read = "read";

    /// <inheritdoc/>
    public override long Initial => 0;

    /// <inheritdoc/>
    public override IEnumerable<long> Apply(long state, HistoryOperation operation)
    {
        var next = operation.Kind switch
        {
            Add => state + long.Parse(operation.Argument, CultureInfo.InvariantCulture),
            Read or HistoryOperation.SessionEnd => state,
            _ => throw new ArgumentException($"a counter has no operation {operation.Kind}", nameof(operation)),
        };
        var isPossible = operation.IsUnknown || operation.Kind == HistoryOperation.SessionEnd
            || operation.Result == next.ToString(CultureInfo.InvariantCulture);
        return isPossible ? [next] : [];
    }

    /// <inheritdoc/>
    public override bool IsReadOnly(HistoryOperation operation) => operation.Kind == Read;

    /// <inheritdoc/>
    public override int Holds(HistoryOperation operation) => 0;
}
