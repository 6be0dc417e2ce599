using ScottPlot;

namespace Orchestrator.Bench;

/// <summary>Draws plots as SVG.</summary>
internal static class PlotRenderer
{
    private const int Width = 860;
    private const int Height = 430;

    public static string ToSvg(PlotSpec spec)
    {
        var plot = new Plot();
        foreach (var series in spec.Series)
        {
            var line = plot.Add.Scatter(series.X.ToArray(), series.Y.ToArray());
            line.LegendText = series.Name;
            line.Color = Color.FromHex(series.Color);
            line.LineWidth = 2;
            line.MarkerSize = 7;
        }

        Apply(plot.Axes.Bottom, spec.X);
        Apply(plot.Axes.Left, spec.Y);
        if (spec is { X: { From: { } left, To: { } right }, Y: { From: { } bottom, To: { } top } })
            plot.Axes.SetLimits(left, right, bottom, top);
        plot.Grid.MajorLineColor = Color.FromHex("#E6E6E6");
        // Beside the plot: inside, the legend would always cover some of the lines.
        plot.ShowLegend(Edge.Right);
        return plot.GetSvgXml(Width, Height);
    }

    private static void Apply(IAxis axis, PlotAxis spec)
    {
        axis.Label.Text = spec.Label;
        axis.Label.Bold = false;
        if (spec.Ticks is { } ticks)
            axis.SetTicks([.. ticks.Select(tick => tick.Position)], [.. ticks.Select(tick => tick.Label)]);
    }
}
