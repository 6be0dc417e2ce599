using System.Globalization;
using Orchestrator.Cli.Bench.Report;
using Orchestrator.Cli.Output;
using ScottPlot;

namespace Orchestrator.Cli.Bench.Compare;

/// <summary>The plots of a comparison, as SVG.</summary>
internal static class ComparePlots
{
    private const int Width = 860;
    private const int Height = 430;

    // Okabe and Ito's colours, distinguishable with any kind of colour vision.
    private static readonly string[] s_colours = ["#000000", "#E69F00", "#56B4E9", "#009E73", "#D55E00", "#0072B2", "#CC79A7"];

    public static string Throughput(CompareResult result, CompareWorkload kind)
    {
        var plot = new Plot();
        var sizes = result.Sizes(kind).Select(size => size.TotalSeconds).ToArray();
        var all = new List<double>();
        foreach (var (mode, colour) in Colours())
        {
            var rates = result.Sizes(kind).Select(size => result.Cell(mode, kind, size)!.Figure.PerSecond).ToArray();
            all.AddRange(rates);
            Style(plot.Add.Scatter(sizes.Select(Math.Log10).ToArray(), rates.Select(Math.Log10).ToArray()), mode.Name, colour);
        }

        // Ticks only at the measured sizes.
        plot.Axes.Bottom.SetTicks([.. sizes.Select(Math.Log10)], [.. sizes.Select(Time)]);
        LogTicks(plot.Axes.Left, all, Rate);
        return Finish(plot, "size of a task", "tasks per second");
    }

    public static string SpeedUps(CompareResult result)
    {
        var plot = new Plot();
        var workers = result.SpeedUps.Select(point => (double)point.Workers).ToArray();
        var ideal = plot.Add.Scatter(workers, workers);
        Style(ideal, "a core each", Color.FromHex("#999999"));
        Style(plot.Add.Scatter(workers, result.SpeedUps.Select(point => point.Factor).ToArray()), CompareMode.Stream.Name, Colours().First(one => one.Mode == CompareMode.Stream).Colour);
        plot.Axes.Bottom.SetTicks(workers, [.. workers.Select(Format.Number).Select(text => text.TrimEnd('0').TrimEnd('.'))]);
        plot.Axes.SetLimits(0.5, workers[^1] + 0.5, 0, Math.Max(workers[^1], result.SpeedUps.Max(point => point.Factor)) + 0.5);
        return Finish(plot, "worker processes", "times one sequential program");
    }

    /// <summary>Latency by percentile, on the scale that shows the tail: each step to the right is ten times rarer.</summary>
    public static string Latencies(CompareResult result)
    {
        var plot = new Plot();
        var all = new List<double>();
        foreach (var (mode, colour) in Colours())
        {
            var figure = result.OneAtATime.First(cell => cell.Mode == mode).Figure;
            var points = FigureSummary.Percentiles.Where(p => figure.Latency[p] is not null).ToArray();
            if (points.Length == 0)
                continue;
            var times = points.Select(p => figure.Latency[p]!.Value.TotalSeconds).ToArray();
            all.AddRange(times);
            Style(plot.Add.Scatter(points.Select(Rarity).ToArray(), times.Select(Math.Log10).ToArray()), mode.Name, colour);
        }

        plot.Axes.Bottom.SetTicks(
            [.. FigureSummary.Percentiles.Select(Rarity)], [.. FigureSummary.Percentiles.Select(p => FormattableString.Invariant($"p{p}"))]);
        LogTicks(plot.Axes.Left, all, Time);
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

    /// <summary>Powers of ten; also twos and fives if all values lie within two decades.</summary>
    private static void LogTicks(IAxis axis, List<double> values, Func<double, string> label)
    {
        // A rate of zero cannot be shown on a logarithmic axis.
        values = values.FindAll(value => value > 0);
        if (values.Count == 0)
            return;
        var (from, to) = ((int)Math.Floor(Math.Log10(values.Min())), (int)Math.Ceiling(Math.Log10(values.Max())));
        var powers = Enumerable.Range(from - 1, to - from + 3).Select(exponent => Math.Pow(10, exponent));
        var marks = (to - from <= 2 ? powers.SelectMany(power => (double[])[power, 2 * power, 5 * power]) : powers).ToArray();
        axis.SetTicks([.. marks.Select(Math.Log10)], [.. marks.Select(label)]);
    }

    // Round numbers, which need no decimals.
    private static string Time(double seconds) => seconds switch
    {
        < 0.999e-3 => FormattableString.Invariant($"{Math.Round(seconds * 1e6, 3):0.###} µs"),
        < 0.999 => FormattableString.Invariant($"{Math.Round(seconds * 1e3, 3):0.###} ms"),
        _ => FormattableString.Invariant($"{Math.Round(seconds, 3):0.###} s"),
    };

    private static string Rate(double perSecond) => perSecond.ToString(perSecond < 10 ? "0.###" : "#,##0", CultureInfo.InvariantCulture);

    private static string Finish(Plot plot, string x, string y)
    {
        plot.XLabel(x);
        plot.YLabel(y);
        plot.Axes.Bottom.Label.Bold = plot.Axes.Left.Label.Bold = false;
        plot.Grid.MajorLineColor = Color.FromHex("#E6E6E6");
        // Beside the plot: inside, the legend would always cover some of the lines.
        plot.ShowLegend(Edge.Right);
        return plot.GetSvgXml(Width, Height);
    }
}
