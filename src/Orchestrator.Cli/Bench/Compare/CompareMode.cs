using Orchestrator.App;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Pool;
using Orchestrator.Client;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Compare;

/// <summary>The places where a comparison runs tasks, besides this program's own threads.</summary>
/// <param name="Client">A coordinator in another process.</param>
/// <param name="Pool">The pool of this program.</param>
internal sealed record ComparePlaces(OrchestratorClient Client, IOrchestratorPool Pool);

/// <summary>One way of running tasks.</summary>
/// <param name="Name">The name in tables.</param>
/// <param name="Where">A description: the process that does the work, and the way tasks reach it.</param>
/// <param name="Create">Creates the load for this work, with a limit on tasks in flight.</param>
internal sealed record CompareMode(string Name, string Where, Func<CompareWork, ComparePlaces, int, ILoadShape> Create)
{
    private const int CallsInFlight = 64;
    private const int WaitingThreads = 64;

    public static readonly CompareMode Sequential = new(
        "sequential", "this program, one thread", (work, _, _) => new LocalThreads(work, 1));

    public static readonly CompareMode Threads = new(
        "threads", $"this program, a thread per core ({WaitingThreads} for tasks that wait)",
        (work, _, inFlight) => new LocalThreads(
            work, Math.Min(inFlight, work.Kind == CompareWorkload.Cpu ? Environment.ProcessorCount : WaitingThreads)));

    public static readonly CompareMode Unary = new(
        "processes, RunTask", $"worker processes, a call per task, {CallsInFlight} at a time",
        (work, places, inFlight) => Calls(work.ToLoad(Placement.WorkerProcess, Placement.WorkerProcess), places.Client, inFlight));

    public static readonly CompareMode Stream = new(
        "processes, StreamTasks", "worker processes, tasks on one stream",
        (work, places, inFlight) => new TaskStreamLoop(
            [places.Client], work.ToLoad(Placement.WorkerProcess, Placement.WorkerProcess), inFlight));

    public static readonly CompareMode Pool = new(
        "processes, embedded pool", "worker processes of this program's own pool: pool.MapAsync, or pool.RunAsync where one runs at a time",
        (work, places, inFlight) => MapOrRun(work.ToLoad(Placement.WorkerProcess, Placement.WorkerProcess), places.Pool, inFlight));

    /// <summary>All ways, in table order.</summary>
    public static readonly CompareMode[] All =
    [
        Sequential,
        Threads,
        new("async", "this program, one event loop", (work, _, inFlight) => new LocalAsync(work, inFlight)),
        new("in-process", "the coordinator itself, on its threads or asynchronously, tasks on one stream", (work, places, inFlight) =>
            new TaskStreamLoop([places.Client], work.ToLoad(Placement.InProcessThreads, Placement.InProcessAsync), inFlight)),
        Unary,
        Stream,
        Pool,
    ];

    /// <summary>The ways that send tasks to other processes, which must pay off.</summary>
    public static readonly CompareMode[] AcrossProcesses = [Pool, Stream, Unary];

    private static UnaryLoop Calls(TaskLoad load, OrchestratorClient client, int inFlight) =>
        new((_, token) => load.RunAsync(client, token), 1, Math.Min(inFlight, CallsInFlight));

    private static ILoadShape MapOrRun(TaskLoad load, IOrchestratorPool pool, int inFlight) => inFlight == 1
        ? new UnaryLoop((_, token) => load.RunAsync(pool, token), 1, 1)
        : new PoolMapLoop(pool, load, inFlight);
}
