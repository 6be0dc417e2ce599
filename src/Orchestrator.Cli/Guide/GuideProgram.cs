using Orchestrator.App;
using Orchestrator.Handlers;

namespace Orchestrator.Cli.Guide;

/// <summary>The program that the guide is: coordinator and workers at once. In a worker the same lines run, and only the handlers of the rows are used.</summary>
internal static class GuideProgram
{
    // Two at least, so that something can be across processes on a single core; few, so that a large machine is as easy to read.
    private static readonly int s_workers = Math.Clamp(Environment.ProcessorCount, 2, 4);

    public static OrchestratorApp Create(string[] args)
    {
        var app = OrchestratorApp.Create(args, new OrchestratorAppOptions { Workers = s_workers });
        StockHandlers.Register(app.Tasks, new StockHandlerOptions());
        GuideHandlers.Map(app);
        foreach (var row in GuideRows.All)
            row.MapHandlers(app);
        return app;
    }
}
