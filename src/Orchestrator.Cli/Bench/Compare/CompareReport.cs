using System.Net;
using System.Text;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Bench.Compare;

/// <summary>A comparison as one self-contained HTML page.</summary>
internal static class CompareReport
{
    private const string Style = """
        :root { color-scheme: light; }
        body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 920px; margin: 2.5rem auto; padding: 0 1.2rem; }
        h1 { font-size: 1.7rem; margin-bottom: .2rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; }
        .sub, figcaption, .where { color: #5c5c5c; } figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; }
        /* The plots name a font of the machine that drew them. */
        figure svg text { font-family: system-ui, sans-serif; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .92rem; }
        th, td { padding: .35rem .6rem; border-bottom: 1px solid #e3e3e3; text-align: left; white-space: nowrap; } th { font-weight: 600; }
        td.n, th.n { text-align: right; } td.note { white-space: normal; color: #5c5c5c; } td small { color: #5c5c5c; } li { margin: .2rem 0; }
        """;

    /// <summary>The page, whose plots <see cref="PlotProgram"/> draws.</summary>
    public static async Task<string> CreateAsync(CompareResult result, CancellationToken token)
    {
        var kinds = result.Cells.Select(cell => cell.Kind).Distinct().ToArray();
        var plots = kinds.Select(kind => ComparePlots.Throughput(result, kind)).Append(ComparePlots.Latencies(result));
        if (result.SpeedUps.Count > 0)
            plots = plots.Append(ComparePlots.SpeedUps(result));
        var drawn = await PlotProgram.DrawAsync([.. plots], token);
        var (latencies, speedUps) = (drawn[kinds.Length], drawn[^1]);
        var page = new StringBuilder();
        page.Append(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" " +
            "content=\"width=device-width\">\n<title>Orchestrator: in process or across " +
            $"processes</title>\n<style>\n{Style}\n</style>\n</head>\n<body>\n");
        page.Append(
            $"<h1>In process or across processes</h1>\n<p class=\"sub\">{Text(result.Machine)}. Each figure is the median over the " +
            "rounds; a ratio is taken within each round.</p>\n");
        page.Append("<ul class=\"where\">\n");
        foreach (var mode in CompareMode.All)
            page.Append($"<li>{Text($"{mode.Name}: {mode.Where}")}</li>\n");
        page.Append("</ul>\n");
        if (result.Sizes(CompareWorkload.Cpu).Any())
        {
            page.Append("<h2>From which size of a task processes pay</h2>\n");
            BreakEvens(page, result);
        }

        foreach (var (kind, throughput) in kinds.Zip(drawn))
        {
            page.Append($"<h2>Throughput: {Text(CompareTable.Title(kind))}</h2>\n");
            Figure(page, throughput, "Tasks per second by the size of a task, both on logarithmic scales.");
            Table(page, result, kind);
        }

        if (result.SpeedUps.Count > 0)
        {
            page.Append("<h2>Speed-up by workers</h2>\n");
            Figure(page, speedUps, "CPU-bound tasks of 5 ms on one stream, against one sequential program in the same round.");
        }

        page.Append("<h2>Latency, one task at a time</h2>\n");
        Figure(page, latencies, "CPU-bound tasks of 100 µs. A percentile is shown only with ten samples beyond it.");
        Costs(page, result);
        page.Append("</body>\n</html>\n");
        return page.ToString();
    }

    private static void BreakEvens(StringBuilder page, CompareResult result)
    {
        var goals = result.BreakEvens().Select(line => line.Against).Distinct().ToArray();
        page.Append("<div class=\"scroll\"><table>\n<tr><th>run</th>");
        foreach (var goal in goals)
            page.Append($"<th class=\"n\">{Text(goal)}</th>");
        page.Append("</tr>\n");
        foreach (var mode in result.BreakEvens().GroupBy(line => line.Mode))
        {
            page.Append($"<tr><td>{Text(mode.Key.Name)}</td>");
            foreach (var goal in goals)
                page.Append($"<td class=\"n\">{Text(CompareTable.From(mode.First(line => line.Against == goal).Size, result))}</td>");
            page.Append("</tr>\n");
        }

        page.Append("</table></div>\n<p class=\"where\">CPU-bound tasks; each figure is the size of one task.</p>\n");
    }

    private static void Figure(StringBuilder page, string svg, string caption)
    {
        // An HTML page must not contain an XML declaration.
        var start = svg.IndexOf("<svg", StringComparison.Ordinal);
        page.Append(
            $"<figure role=\"img\" aria-label=\"{Text(caption)}\">\n{svg[start..]}\n<figcaption>{Text(caption)}</figcaption>\n</figure>\n");
    }

    private static void Table(StringBuilder page, CompareResult result, CompareWorkload kind)
    {
        var sizes = result.Sizes(kind).ToArray();
        page.Append("<div class=\"scroll\"><table>\n<tr><th>run</th>");
        foreach (var size in sizes)
            page.Append($"<th class=\"n\">{Text(Format.Time(size))}</th>");
        page.Append("</tr>\n");
        foreach (var mode in CompareMode.All)
        {
            page.Append($"<tr><td title=\"{Text(mode.Where)}\">{Text(mode.Name)}</td>");
            foreach (var size in sizes)
            {
                var figure = result.Cell(mode, kind, size)!.Figure;
                var ratio = figure.RateRatio(result.Cell(CompareMode.Sequential, kind, size)!.Figure);
                page.Append($"<td class=\"n\">{Text(Format.Rate(figure.PerSecond))} <small>{Text(Format.Number(ratio))} ×</small></td>");
            }

            page.Append("</tr>\n");
        }

        page.Append("</table></div>\n<p class=\"where\">Small: as a multiple of the sequential program.</p>\n");
    }

    private static void Costs(StringBuilder page, CompareResult result)
    {
        if (result.Costs.Count == 0)
            return;
        page.Append(
            "<h2>What each costs before it does any work</h2>\n<div class=\"scroll\"><table>\n<tr><th></th><th " +
            "class=\"n\">memory</th><th class=\"n\">time</th><th>measured</th></tr>\n");
        foreach (var cost in result.Costs)
        {
            page.Append($"<tr><td>{Text(cost.What)}</td><td class=\"n\">{Text(CompareTable.Memory(cost))}</td>" +
                        $"<td class=\"n\">{(cost.Start is null ? "" : Text(Format.Time(cost.Start)))}</td><td " +
                        $"class=\"note\">{Text(cost.Note)}</td></tr>\n");
        }

        page.Append("</table></div>\n");
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
