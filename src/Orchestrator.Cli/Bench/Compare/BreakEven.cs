namespace Orchestrator.Cli.Bench.Compare;

/// <summary>The task size from which a way of running tasks pays off.</summary>
internal static class BreakEven
{
    /// <summary>
    /// The smallest size from which the speed never falls below <paramref name="threshold"/>; between two measured sizes, interpolated
    /// linearly over their logarithms.
    /// </summary>
    /// <param name="points">Ascending sizes, each with the speed as a multiple of the reference.</param>
    /// <param name="threshold">The speed that pays off.</param>
    /// <returns>The size; zero if it pays off at every measured size, null if it does not at the largest.</returns>
    public static TimeSpan? Find(IReadOnlyList<(TimeSpan Size, double Speed)> points, double threshold)
    {
        if (points.Count == 0 || !(points[^1].Speed >= threshold))
            return null;
        var from = points.Count - 1;
        while (from > 0 && points[from - 1].Speed >= threshold)
            from--;
        if (from == 0)
            return TimeSpan.Zero;
        var (below, above) = (points[from - 1], points[from]);
        // Nothing was done at all in a round that was too short: as if it paid off just from the next size on.
        if (!(below.Speed > 0))
            return above.Size;
        var part = Math.Log(threshold / below.Speed) / Math.Log(above.Speed / below.Speed);
        return below.Size * Math.Pow(above.Size / below.Size, part);
    }
}
