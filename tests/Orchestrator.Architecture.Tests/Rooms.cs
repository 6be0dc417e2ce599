namespace Orchestrator.Architecture.Tests;

/// <summary>A room: a folder directly below the project's, which is also the first part of a namespace below the project's.</summary>
/// <param name="Name">The folder.</param>
/// <param name="Purpose">What belongs there, for docs/architecture.md.</param>
internal sealed record Room(string Name, string Purpose)
{
    /// <summary>The name of the room of types that lie in no folder.</summary>
    public const string Root = "(root)";
}

/// <summary>
/// The rooms of each project. A room may use the rooms of its project that stand before it, and no other.
/// </summary>
internal static class Rooms
{
    /// <summary>Project (without the prefix) → its rooms, the used before the users.</summary>
    public static IReadOnlyDictionary<string, Room[]> Order { get; } = new Dictionary<string, Room[]>(StringComparer.Ordinal)
    {
        ["Protocol"] = [new(Room.Root, "code generated from `protos/`, and the constants of the protocol")],
        ["Transport"] =
        [
            new("RawMessages", "messages of the contract that are passed on without being parsed"),
            new("Sockets", "messages over Unix sockets: between a coordinator and its worker, and the frames of the local transport"),
            new("LocalCalls", "calls of clients over the local transport"),
        ],
        ["Core"] =
        [
            new("Common", "deadlines, the memory budget, pages of names"),
            new("Kernel",
                "what all primitives share: named objects, commands, sessions, holds, waits, deadlocks, replays, `IPrimitiveContext`"),
            new("Locks", "mutexes and read-write locks: fairness (`LockState`), re-entry, fencing tokens"),
            new("Semaphores", "counted permits"),
            new("Events", "set, clear, wait"),
            new("Conditions", "wait and notify under a lock"),
            new("Barriers", "parties that meet"),
            new("Latches", "count down to zero"),
            new("RateLimiters", "token buckets and sliding windows"),
            new("Queues", "puts, gets, leases and what follows when they end, dead letters"),
            new("Pipes", "two ends and what is between them"),
            new("State", "dicts, lists, values and arrays"),
            new("Objects", "`ObjectEngine`: enters, checks budget and replays, hands each command to its machine"),
            new("TaskModel", "tasks, policies, handlers, worker nodes: the data of the task engine"),
            new("Spans", "when attempts ran: each as a span while a client watches, and always as shares of the lanes' time"),
            new("Scheduling", "who runs next, and where: fairness, priorities, affinity, limits of concurrency and of starts"),
            new("Tasks", "`TaskEngine`: admission, attempts and retries, cancellation and its escalation, workers, results"),
        ],
        ["Client"] =
        [
            new("Serialization", "payloads, JSON, time limits"),
            new("Results", "what is said of tasks and waits: results, reasons, events, post-mortems"),
            new("Errors", "the exceptions of the SDK"),
            new("Connection", "options, endpoint, TLS, credentials, and the mapping of errors to exceptions"),
            new("Objects", "sessions, locks, queues, pipes, state"),
            new("Contract", "the contract's calls with its messages: the raw calls, the bare task stream, payloads"),
            new("Tasks", "functions, handles, maps, and streams that are reopened when they break"),
            new("Synchronous", "the same for code that cannot wait asynchronously"),
            new(Room.Root, "`IOrchestratorClient` and `OrchestratorClient`"),
            new("DependencyInjection", "registration in a host, with validated options, and the health check"),
        ],
        ["Worker"] =
        [
            new("Payloads", "JSON and bytes between wire and handler"),
            new("Tasks", "handlers, their registration, and `TaskContext`"),
            new("Execution", "lanes, attempts, the flight recorder"),
            new("Service", "the stream of assignments and results, heartbeats"),
            new("Hosting", "the launch contract, the worker's start and end, its exit when its parent exits"),
        ],
        ["Worker.AspNetCore"] =
        [
            new(Room.Root, "the gRPC server on a worker's socket"),
        ],
        ["Handlers"] =
        [
            new("Common", "options, checks, JSON"),
            new("Chaos", "handlers that crash, hang and leak, for tests"),
            new("Cpu", "CPU-bound handlers"),
            new("Io", "IO-bound handlers"),
            new(Room.Root, "the registration of all of them, and the worker that offers them"),
        ],
        ["Coordinator"] =
        [
            new("Infrastructure", "clocks, options, files, operating-system processes, the event log"),
            new("Mapping", "contract messages to engine commands and back, and errors to statuses"),
            new("Tracing", "spans of tasks, attempts and waits, for OpenTelemetry"),
            new("Journal", "what is durable: one SQLite file, one writer, snapshots, restoring"),
            new("EngineHosts", "the engines' locks, clocks and timers; effects are routed to their recipients"),
            new("Dispatch", "the link to each worker, and in-process execution"),
            new("Security", "TLS, tokens, roles, quotas, limits of incoming bytes: who calls, and what they may"),
            new("Supervision", "starts, watches, recycles, kills and replaces worker processes"),
            new("Services", "the gRPC services of tasks and of objects"),
            new("Telemetry", "status, limits, memory, the last 15 minutes, what needs attention, the feed of live views"),
            new("Metrics", "the table of instruments, their values, and `/metrics`"),
            new("Admin", "the admin service, the drain, faults on request, comparisons of placements"),
            new("LocalTransport", "the services over a Unix socket without HTTP/2"),
            new("Hosting", "puts everything together: ports, start, stop"),
        ],
        ["Dashboard"] = [new(Room.Root, "the page's files and routes, its services as JSON over HTTP, its feed")],
        ["App"] = [new(Room.Root, "a program that is both coordinator and workers")],
        ["Bench"] = [new(Room.Root, "draws the plots of `orchestrator bench compare --report`")],
        ["Cli"] =
        [
            new("Common", "exit codes, signals, starting its own program as a child"),
            new("Options", "options that several verbs share, and their syntax"),
            new("Output", "`Terminal` (tables, JSON), `Format` (values as text), progress"),
            new("Doctor", "checks of the machine, of the workers' program and of a coordinator"),
            new("Bench", "the benchmarks"),
            new("LoadTest", "scripted loads and their ledger"),
            new("Demo", "the demo"),
            new("Guide", "the guide through concurrency, and its rows"),
            new("Top", "the live view"),
            new("Commands", "one file per verb"),
            new(Room.Root, "`Program` and the tree of verbs"),
        ],
    };
}
