namespace Orchestrator.Cli.Bench.Scale;

/// <summary>The cost of an operation at one size.</summary>
/// <param name="Axis">What was counted.</param>
/// <param name="Size">How many there were.</param>
/// <param name="Operation">What was done.</param>
/// <param name="Cost">The time that each took, in microseconds; where many are done at once, the time divided by their number.</param>
/// <param name="ProcessorCost">The coordinator's processor time for each, in microseconds.</param>
internal sealed record ScaleCell(ScaleAxis Axis, int Size, string Operation, double Cost, double ProcessorCost)
{
    /// <summary>The cost as a multiple of that at the next lower size; null at the lowest.</summary>
    public double? Step { get; init; }

    /// <summary>Whether it is a cliff.</summary>
    public bool IsCliff { get; init; }
}

/// <summary>Finds the cliffs.</summary>
internal static class ScaleResult
{
    // Twice is beyond what measuring again would give.
    private const double Steep = 2;

    /// <summary>Whether a cost is so far above the one at the next lower size that it may be a cliff.</summary>
    public static bool IsSteep(ScaleCell? before, ScaleCell cell) => before is not null && cell.Cost > Steep * before.Cost;

    /// <summary>
    /// Completes cells, the sizes of each operation ascending, by their steps. A cliff is a step of more than twice the step below it, or
    /// than no step at all: a cost that grows evenly is not one, however steep.
    /// </summary>
    public static IReadOnlyList<ScaleCell> WithSteps(IEnumerable<ScaleCell> cells) =>
    [
        .. cells.GroupBy(cell => (cell.Axis, cell.Operation)).SelectMany(line =>
        {
            var (before, steps) = (1.0, new List<ScaleCell>());
            foreach (var cell in line)
            {
                var step = steps.Count == 0 ? (double?)null : cell.Cost / steps[^1].Cost;
                steps.Add(cell with { Step = step, IsCliff = step > Steep * before });
                before = Math.Max(1, step ?? 1);
            }

            return steps;
        }),
    ];
}
