using System.Globalization;
using System.Net;
using System.Text;
using Orchestrator.Bench;
using Orchestrator.Cli.Bench.Compare;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Bench.Scale;

/// <summary>The costs as one self-contained HTML page, with a plot for each axis.</summary>
internal static class ScaleReport
{
    // Okabe and Ito's colors, distinguishable with any kind of color vision.
    private static readonly string[] Palette = ["#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#000000"];

    public static async Task<string> CreateAsync(IReadOnlyList<ScaleCell> cells, CancellationToken token)
    {
        var axes = cells.GroupBy(cell => cell.Axis).ToArray();
        var drawn = await PlotProgram.DrawAsync([.. axes.Select(axis => Plot(axis.Key, [.. axis]))], token);
        var page = new StringBuilder(
            """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <title>Orchestrator: cost by size</title>
            <style>
            body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 920px; margin: 2.5rem auto; padding: 0 1.2rem; }
            figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; } figcaption { color: #5c5c5c; }
            </style>
            </head>
            <body>
            <h1>Cost by size</h1>

            """);
        foreach (var (axis, svg) in axes.Zip(drawn))
        {
            // An HTML page must not contain an XML declaration.
            page.Append(CultureInfo.InvariantCulture, $"<h2>{WebUtility.HtmlEncode(axis.Key.What)}</h2>\n<figure>\n")
                .Append(svg[svg.IndexOf("<svg", StringComparison.Ordinal)..])
                .Append("\n<figcaption>Microseconds for each operation; both scales are logarithmic.</figcaption>\n</figure>\n");
        }

        return page.Append("</body>\n</html>\n").ToString();
    }

    /// <summary>The plot of one axis.</summary>
    internal static PlotSpec Plot(ScaleAxis axis, IReadOnlyList<ScaleCell> cells)
    {
        var sizes = cells.Select(cell => cell.Size).Distinct().ToArray();
        var (low, high) = (Math.Floor(Math.Log10(cells.Min(cell => cell.Cost))), Math.Ceiling(Math.Log10(cells.Max(cell => cell.Cost))));
        var powers = Enumerable.Range((int)low, (int)(high - low) + 1);
        return new PlotSpec(
            new PlotAxis(axis.What, [.. sizes.Select(size => new PlotTick(Math.Log10(size), Format.Count(size)))]),
            new PlotAxis("µs each", [.. powers.Select(power => new PlotTick(power, Label(Math.Pow(10, power))))]),
            [
                .. cells.GroupBy(cell => cell.Operation).Zip(Palette).Select(pair => new PlotSeries(
                    pair.First.Key, pair.Second, [.. pair.First.Select(cell => Math.Log10(cell.Size))],
                    [.. pair.First.Select(cell => Math.Log10(cell.Cost))])),
            ]);
    }

    private static string Label(double microseconds) => microseconds.ToString("#,##0.##", CultureInfo.InvariantCulture);
}
