using Orchestrator.Cli.Bench.Report;
using Orchestrator.Cli.Output;
using ScottPlot;

namespace Orchestrator.Cli.Bench.Compare;

/// <summary>The plots of a comparison, as SVG.</summary>
internal static class ComparePlots
{
    private const int Width = 860;
    private const int Height = 430;

    // Okabe and Ito's colours, which people with any kind of colour vision can tell apart.
    private static readonly string[] s_colours = ["#000000", "#E69F00", "#56B4E9", "#009E73", "#D55E00", "#0072B2", "#CC79A7"];

    public static string Throughput(CompareResult result, WorkKind kind)
    {
        var plot = new Plot();
        foreach (var (mode, colour) in Colours())
        {
            var sizes = result.Sizes(kind).ToArray();
            var line = plot.Add.Scatter(
                sizes.Select(size => Math.Log10(size.TotalSeconds)).ToArray(),
                sizes.Select(size => Math.Log10(result.Cell(mode, kind, size)!.Figure.PerSecond)).ToArray());
            Style(line, mode.Name, colour);
        }

        LogTicks(plot.Axes.Bottom, exponent => Describe.Time(TimeSpan.FromSeconds(Math.Pow(10, exponent))));
        LogTicks(plot.Axes.Left, exponent => Describe.Rate(Math.Pow(10, exponent)));
        return Finish(plot, "size of a task", "tasks per second");
    }

    public static string SpeedUps(CompareResult result)
    {
        var plot = new Plot();
        var workers = result.SpeedUps.Select(point => (double)point.Workers).ToArray();
        var ideal = plot.Add.Scatter(workers, workers);
        Style(ideal, "a core each", Color.FromHex("#999999"));
        Style(plot.Add.Scatter(workers, result.SpeedUps.Select(point => point.Factor).ToArray()), CompareMode.Stream.Name, Colours().First(one => one.Mode == CompareMode.Stream).Colour);
        plot.Axes.Bottom.SetTicks(workers, [.. workers.Select(Describe.Number).Select(text => text.TrimEnd('0').TrimEnd('.'))]);
        plot.Axes.SetLimits(0.5, workers[^1] + 0.5, 0, Math.Max(workers[^1], result.SpeedUps.Max(point => point.Factor)) + 0.5);
        return Finish(plot, "worker processes", "times one sequential program");
    }

    /// <summary>Latency by percentile, on the scale that shows the tail: each step to the right is ten times rarer.</summary>
    public static string Latencies(CompareResult result)
    {
        var plot = new Plot();
        foreach (var (mode, colour) in Colours())
        {
            var figure = result.OneAtATime.First(cell => cell.Mode == mode).Figure;
            var points = FigureSummary.Percentiles.Where(p => figure.Latency[p] is not null).ToArray();
            if (points.Length == 0)
                continue;
            var line = plot.Add.Scatter(
                points.Select(Rarity).ToArray(), points.Select(p => Math.Log10(figure.Latency[p]!.Value.TotalSeconds)).ToArray());
            Style(line, mode.Name, colour);
        }

        plot.Axes.Bottom.SetTicks(
            [.. FigureSummary.Percentiles.Select(Rarity)], [.. FigureSummary.Percentiles.Select(p => FormattableString.Invariant($"p{p}"))]);
        LogTicks(plot.Axes.Left, exponent => Describe.Time(TimeSpan.FromSeconds(Math.Pow(10, exponent))));
        return Finish(plot, "percentile", "time for one task");

        static double Rarity(double percentile) => -Math.Log10(1 - (percentile / 100));
    }

    private static IEnumerable<(CompareMode Mode, Color Colour)> Colours() =>
        CompareMode.All.Select((mode, i) => (mode, Color.FromHex(s_colours[i % s_colours.Length])));

    private static void Style(ScottPlot.Plottables.Scatter line, string name, Color colour)
    {
        line.LegendText = name;
        line.Color = colour;
        line.LineWidth = 2;
        line.MarkerSize = 7;
    }

    private static void LogTicks(IAxis axis, Func<double, string> label)
    {
        var (from, to) = (-7, 8);
        var exponents = Enumerable.Range(from, to - from + 1).Select(i => (double)i).ToArray();
        axis.SetTicks(exponents, [.. exponents.Select(label)]);
    }

    private static string Finish(Plot plot, string x, string y)
    {
        plot.XLabel(x);
        plot.YLabel(y);
        plot.Axes.Bottom.Label.Bold = plot.Axes.Left.Label.Bold = false;
        plot.Grid.MajorLineColor = Color.FromHex("#E6E6E6");
        // Beside the plot: inside, some of the lines would always lie below it.
        plot.ShowLegend(Edge.Right);
        return plot.GetSvgXml(Width, Height);
    }
}
