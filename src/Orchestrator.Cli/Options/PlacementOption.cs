using System.CommandLine;
using Orchestrator.V1;

namespace Orchestrator.Cli.Options;

/// <summary>The option for where tasks run.</summary>
internal static class PlacementOption
{
    public static Option<string> Create()
    {
        var option = new Option<string>("--placement")
        {
            Description = "Where to run: in worker processes, or in the coordinator itself sequentially, on threads, or asynchronously.",
            HelpName = "worker|sequential|threads|async",
            DefaultValueFactory = _ => "worker",
        };
        return option.AcceptOnlyFromAmong("worker", "sequential", "threads", "async");
    }

    public static Placement Parse(string? text) => text switch
    {
        "sequential" => Placement.InProcessSequential,
        "threads" => Placement.InProcessThreads,
        "async" => Placement.InProcessAsync,
        _ => Placement.WorkerProcess,
    };
}
