using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Bench.Report;

/// <summary>One of our figures and the baseline that it is compared with.</summary>
/// <param name="Target">The number of the target in the design, if it has one.</param>
/// <param name="Ours">Our figure's name.</param>
/// <param name="Bare">The baseline's name.</param>
/// <param name="IsRate">Throughput, more is better; otherwise the median latency, less is better.</param>
/// <param name="Limit">The required ratio; null if there is none.</param>
internal sealed record Comparison(string Target, string Ours, string Bare, bool IsRate, double? Limit)
{
    public Compared Of(IReadOnlyDictionary<string, FigureSummary> figures)
    {
        var (ours, bare) = (figures[Ours], figures[Bare]);
        return new Compared(this, ours, bare, IsRate ? ours.RateRatio(bare) : ours.P50Ratio(bare));
    }
}

/// <summary>A comparison with its outcome.</summary>
internal sealed record Compared(Comparison Line, FigureSummary Ours, FigureSummary Bare, double? Ratio)
{
    public static readonly Column[] Columns =
        [new(""), new("ours"), new("", true), new("baseline"), new("", true), new("ratio", true), new("target"), new("")];

    public bool? Met => Line.Limit is not { } limit ? null : Line.IsRate ? Ratio >= limit : Ratio <= limit;

    public string[] ToRow() =>
    [
        Line.Target,
        Ours.Name,
        Show(Ours),
        Bare.Name,
        Show(Bare),
        Ratio is { } ratio ? FormattableString.Invariant($"{ratio:0.00} ×") : "–",
        Line.Limit is { } limit ? FormattableString.Invariant($"{(Line.IsRate ? "≥" : "≤")} {limit:0.0} ×") : "",
        Met switch { true => "met", false => "missed", null => "" },
    ];

    public object ToJson() => new
    {
        target = Line.Target,
        ours = Ours.Name,
        baseline = Bare.Name,
        quantity = Line.IsRate ? "per_second" : "p50_seconds",
        ratio = Ratio,
        limit = Line.Limit,
        met = Met,
    };

    private string Show(FigureSummary figure) =>
        Line.IsRate ? Format.Rate(figure.PerSecond) + "/s" : Format.Time(figure.P50);
}
