using System.Text.Json;
using Orchestrator.Bench;

// Plots as a JSON list on standard input; their SVG texts as a JSON list on standard output.
if (args.Length > 0 || !Console.IsInputRedirected)
{
    Console.Error.WriteLine(
        "orchestrator-bench: draws the plots of 'orchestrator bench compare --report FILE.html', which starts it; it takes no arguments.");
    return 2;
}

try
{
    var plots = JsonSerializer.Deserialize<PlotSpec[]>(Console.OpenStandardInput()) ?? [];
    JsonSerializer.Serialize(Console.OpenStandardOutput(), plots.Select(PlotRenderer.ToSvg).ToArray());
    return 0;
}
catch (JsonException exception)
{
    Console.Error.WriteLine($"orchestrator-bench: the input is not a list of plots: {exception.Message}");
    return 2;
}
