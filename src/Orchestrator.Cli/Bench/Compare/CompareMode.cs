using Orchestrator.Cli.Bench.Load;
using Orchestrator.Client;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Compare;

/// <summary>One way of running tasks.</summary>
/// <param name="Name">As tables show it.</param>
/// <param name="Where">For people: which process does the work, and how it gets there.</param>
/// <param name="Create">The load of this work, with at most so many tasks in flight.</param>
internal sealed record CompareMode(string Name, string Where, Func<CompareWork, OrchestratorClient, int, ILoadShape> Create)
{
    private const int CallsInFlight = 64;
    private const int WaitingThreads = 64;

    public static readonly CompareMode Sequential = new(
        "sequential", "this program, one thread", (work, _, _) => new LocalThreads(work, 1));

    public static readonly CompareMode Threads = new(
        "threads", $"this program, a thread per core ({WaitingThreads} for tasks that wait)",
        (work, _, inFlight) => new LocalThreads(work, Math.Min(inFlight, work.Kind == WorkKind.Cpu ? Environment.ProcessorCount : WaitingThreads)));

    public static readonly CompareMode Unary = new(
        "processes, RunTask", $"worker processes, a call per task, {CallsInFlight} at a time",
        (work, client, inFlight) => Calls(work.ToLoad(Placement.WorkerProcess, Placement.WorkerProcess), client, inFlight));

    public static readonly CompareMode Stream = new(
        "processes, StreamTasks", "worker processes, tasks on one stream",
        (work, client, inFlight) => new TaskStreamLoop([client], work.ToLoad(Placement.WorkerProcess, Placement.WorkerProcess), inFlight));

    /// <summary>All of them, in the order of tables. The embedded pool of <c>Orchestrator.App</c> takes its place behind the last.</summary>
    public static readonly CompareMode[] All =
    [
        Sequential,
        Threads,
        new("async", "this program, one event loop", (work, _, inFlight) => new LocalAsync(work, inFlight)),
        new("in-process", "the coordinator itself, on its threads or asynchronously, tasks on one stream", (work, client, inFlight) =>
            new TaskStreamLoop([client], work.ToLoad(Placement.InProcessThreads, Placement.InProcessAsync), inFlight)),
        Unary,
        Stream,
    ];

    private static UnaryLoop Calls(TaskLoad load, OrchestratorClient client, int inFlight) =>
        new((_, token) => load.RunAsync(client, token), 1, Math.Min(inFlight, CallsInFlight));
}
