namespace Orchestrator.Cli.Bench.Compare;

/// <summary>The size of a task from which one way of running tasks is worth it.</summary>
internal static class BreakEven
{
    /// <summary>
    /// The smallest size from which on the speed never falls below <paramref name="threshold"/>; between two measured sizes it is where a straight line
    /// over the logarithms crosses it.
    /// </summary>
    /// <param name="points">Sizes, ascending, and the speed there as a multiple of what it is compared with.</param>
    /// <param name="threshold">How fast is worth it.</param>
    /// <returns>The size; zero where it pays at every measured size, null where it does not pay at the largest.</returns>
    public static TimeSpan? Find(IReadOnlyList<(TimeSpan Size, double Speed)> points, double threshold)
    {
        if (points.Count == 0 || points[^1].Speed < threshold)
            return null;
        var from = points.Count - 1;
        while (from > 0 && points[from - 1].Speed >= threshold)
            from--;
        if (from == 0)
            return TimeSpan.Zero;
        var (below, above) = (points[from - 1], points[from]);
        var part = Math.Log(threshold / below.Speed) / Math.Log(above.Speed / below.Speed);
        return below.Size * Math.Pow(above.Size / below.Size, part);
    }
}
