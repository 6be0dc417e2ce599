using Orchestrator.App;
using Orchestrator.Handlers;
using Orchestrator.Handlers.Common;

namespace Orchestrator.Cli.Guide;

/// <summary>
/// The guide as a program that is both coordinator and workers. The same code runs in a worker, which only uses the rows' handlers.
/// </summary>
internal static class GuideProgram
{
    // At least two, so that tasks run across processes even on a single core; few, so that the output stays readable on a large machine.
    private static readonly int Workers = Math.Clamp(Environment.ProcessorCount, 2, 4);

    public static OrchestratorApp Create(string[] args)
    {
        var app = OrchestratorApp.Create(args, new OrchestratorAppOptions { Workers = Workers });
        StockHandlers.Register(app.Tasks, new StockHandlerOptions());
        GuideHandlers.Map(app);
        foreach (var row in GuideRows.All)
            row.MapHandlers(app);
        return app;
    }
}
