using Orchestrator.Cli.Bench.Load;

namespace Orchestrator.Cli.Bench.Report;

/// <summary>Several rounds of one shape, as their medians.</summary>
internal sealed class FigureSummary
{
    /// <summary>The percentiles to show, if there are enough samples.</summary>
    public static readonly double[] Percentiles = [50, 90, 99, 99.9, 99.99];

    public FigureSummary(string name, IReadOnlyList<RoundResult> rounds)
    {
        Name = name;
        Rounds = rounds;
        PerSecond = Median(rounds.Select(round => round.PerSecond));
        Latency = Percentiles.ToDictionary(
            p => p,
            p => rounds.Any(round => round.Latency.At(p) is null)
                ? (TimeSpan?)null
                : TimeSpan.FromTicks((long)Median(rounds.Select(round => (double)round.Latency.At(p)!.Value.Ticks))));
    }

    public string Name { get; }

    public IReadOnlyList<RoundResult> Rounds { get; }

    public double PerSecond { get; }

    public double SlowestPerSecond => Rounds.Min(round => round.PerSecond);

    public double FastestPerSecond => Rounds.Max(round => round.PerSecond);

    public IReadOnlyDictionary<double, TimeSpan?> Latency { get; }

    public TimeSpan? P50 => Latency[50];

    public TimeSpan Max => Rounds.Max(round => round.Latency.Max);

    public long FewestSamples => Rounds.Min(round => round.Latency.Count);

    public long Completed => Rounds.Sum(round => round.Latency.Count);

    public long Failed => Rounds.Sum(round => round.Failed);

    public string? FirstError => Rounds.FirstOrDefault(round => round.FirstError is not null)?.FirstError;

    public double? ItemsPerMessage => Rounds[0].ItemsPerMessage is null ? null : Median(Rounds.Select(round => round.ItemsPerMessage ?? 0));

    public double? OfferedRate => Rounds[0].OfferedRate is null ? null : Median(Rounds.Select(round => round.OfferedRate ?? 0));

    /// <summary>
    /// The median over the rounds of this figure divided by another's of the same round, which cancels effects of the
    /// machine on both.
    /// </summary>
    public double RateRatio(FigureSummary other) =>
        Median(Rounds.Zip(other.Rounds, (mine, its) => mine.PerSecond / its.PerSecond));

    public double? P50Ratio(FigureSummary other) => P50 is null || other.P50 is null
        ? null
        : Median(Rounds.Zip(other.Rounds, (mine, its) => mine.Latency.At(50)!.Value / its.Latency.At(50)!.Value));

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1
            ? sorted[sorted.Length / 2]
            : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>For <c>-o json</c>: seconds and counts, nothing rounded.</summary>
    /// <param name="key">Its short name, if it has one.</param>
    public object ToJson(string? key = null) => new
    {
        key,
        name = Name,
        rounds = Rounds.Count,
        completed = Completed,
        failed = Failed,
        per_second = PerSecond,
        per_second_rounds = Rounds.Select(round => round.PerSecond),
        offered_per_second = OfferedRate,
        items_per_message = ItemsPerMessage,
        latency_seconds = Latency.ToDictionary(
            pair => "p" + pair.Key.ToString(System.Globalization.CultureInfo.InvariantCulture),
            pair => pair.Value?.TotalSeconds),
        latency_max_seconds = Max.TotalSeconds,
        samples_per_round = FewestSamples,
    };
}
