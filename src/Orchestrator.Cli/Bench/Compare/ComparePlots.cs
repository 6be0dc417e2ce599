using System.Globalization;
using Orchestrator.Bench;
using Orchestrator.Cli.Bench.Report;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Bench.Compare;

/// <summary>The plots of a comparison, as data for <see cref="PlotProgram"/>.</summary>
internal static class ComparePlots
{
    // Okabe and Ito's colors, distinguishable with any kind of color vision.
    private static readonly string[] Palette = ["#000000", "#E69F00", "#56B4E9", "#009E73", "#D55E00", "#0072B2", "#CC79A7"];

    public static PlotSpec Throughput(CompareResult result, CompareWorkload kind)
    {
        var sizes = result.Sizes(kind).Select(size => size.TotalSeconds).ToArray();
        var x = sizes.Select(Math.Log10).ToArray();
        var all = new List<double>();
        var series = new List<PlotSeries>();
        foreach (var (mode, color) in Colors())
        {
            var rates = result.Sizes(kind).Select(size => result.Cell(mode, kind, size)!.Figure.PerSecond).ToArray();
            all.AddRange(rates);
            series.Add(LogSeries(mode.Name, color, x, rates));
        }

        // Ticks only at the measured sizes.
        return new PlotSpec(
            new PlotAxis("size of a task", Ticks(sizes, Time)), new PlotAxis("tasks per second", LogTicks(all, Rate)), series);
    }

    public static PlotSpec SpeedUps(CompareResult result)
    {
        var workers = result.SpeedUps.Select(point => (double)point.Workers).ToArray();
        var factors = result.SpeedUps.Select(point => point.Factor).ToArray();
        return new PlotSpec(
            new PlotAxis(
                "worker processes", [.. workers.Select(count => new PlotTick(count, Format.Number(count).TrimEnd('0').TrimEnd('.')))], 0.5,
                workers[^1] + 0.5),
            new PlotAxis("times one sequential program", From: 0, To: Math.Max(workers[^1], factors.Max()) + 0.5),
            [
                new PlotSeries("a core each", "#999999", workers, workers),
                new PlotSeries(CompareMode.Stream.Name, Colors().First(one => one.Mode == CompareMode.Stream).Color, workers, factors),
            ]);
    }

    /// <summary>Latency by percentile, on the scale that shows the tail: each step to the right is ten times rarer.</summary>
    public static PlotSpec Latencies(CompareResult result)
    {
        var all = new List<double>();
        var series = new List<PlotSeries>();
        foreach (var (mode, color) in Colors())
        {
            var figure = result.OneAtATime.First(cell => cell.Mode == mode).Figure;
            var points = FigureSummary.Percentiles.Where(p => figure.Latency[p] is not null).ToArray();
            if (points.Length == 0)
                continue;
            var times = points.Select(p => figure.Latency[p]!.Value.TotalSeconds).ToArray();
            all.AddRange(times);
            series.Add(LogSeries(mode.Name, color, [.. points.Select(Rarity)], times));
        }

        return new PlotSpec(
            new PlotAxis(
                "percentile", [.. FigureSummary.Percentiles.Select(p => new PlotTick(Rarity(p), FormattableString.Invariant($"p{p}")))]),
            new PlotAxis("time for one task", LogTicks(all, Time)),
            series);

        static double Rarity(double percentile) => -Math.Log10(1 - (percentile / 100));
    }

    private static IEnumerable<(CompareMode Mode, string Color)> Colors() =>
        CompareMode.All.Select((mode, i) => (mode, Palette[i % Palette.Length]));

    /// <summary>
    /// A line on a logarithmic axis, which has no place for a rate of zero: a way that finished nothing in a short round has no point
    /// there.
    /// </summary>
    internal static PlotSeries LogSeries(string name, string color, IReadOnlyList<double> x, IReadOnlyList<double> values)
    {
        var points = x.Zip(values).Where(point => point.Second > 0).ToArray();
        return new PlotSeries(name, color, [.. points.Select(point => point.First)], [.. points.Select(point => Math.Log10(point.Second))]);
    }

    private static PlotTick[] Ticks(IEnumerable<double> values, Func<double, string> label) =>
        [.. values.Select(value => new PlotTick(Math.Log10(value), label(value)))];

    /// <summary>Powers of ten; also twos and fives if all values lie within two decades.</summary>
    private static PlotTick[]? LogTicks(List<double> values, Func<double, string> label)
    {
        // A rate of zero cannot be shown on a logarithmic axis.
        values = values.FindAll(value => value > 0);
        if (values.Count == 0)
            return null;
        var (from, to) = ((int)Math.Floor(Math.Log10(values.Min())), (int)Math.Ceiling(Math.Log10(values.Max())));
        var powers = Enumerable.Range(from - 1, to - from + 3).Select(exponent => Math.Pow(10, exponent));
        return Ticks(to - from <= 2 ? powers.SelectMany(power => (double[])[power, 2 * power, 5 * power]) : powers, label);
    }

    // Round numbers, which need no decimals.
    private static string Time(double seconds) => seconds switch
    {
        < 0.999e-3 => FormattableString.Invariant($"{Math.Round(seconds * 1e6, 3):0.###} µs"),
        < 0.999 => FormattableString.Invariant($"{Math.Round(seconds * 1e3, 3):0.###} ms"),
        _ => FormattableString.Invariant($"{Math.Round(seconds, 3):0.###} s"),
    };

    private static string Rate(double perSecond) => perSecond.ToString(perSecond < 10 ? "0.###" : "#,##0", CultureInfo.InvariantCulture);
}
