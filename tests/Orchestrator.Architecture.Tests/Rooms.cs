namespace Orchestrator.Architecture.Tests;

/// <summary>
/// The rooms of each project: a room is a folder directly below the project's, which is also the first part of a namespace below the
/// project's. A room may use the rooms that stand before it, and no other; the project's own namespace stands for the types that lie in no
/// folder.
/// </summary>
internal static class Rooms
{
    /// <summary>The name of the room of types that lie in no folder.</summary>
    public const string Root = "(root)";

    /// <summary>Project (without the prefix) → its rooms, the used before the users.</summary>
    public static IReadOnlyDictionary<string, string[]> Order { get; } = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["Protocol"] = [Root],
        ["Transport"] = ["RawMessages", "Sockets"],
        ["Core"] =
        [
            "Common", "Kernel", "Locks", "Semaphores", "Events", "Conditions", "Barriers", "Latches", "RateLimiters", "Queues", "Pipes",
            "State", "Objects",
            "TaskModel", "Scheduling", "Tasks",
        ],
        ["Client"] = ["Errors", "Connection", "Serialization", "Streams", "Tasks", "Objects", Root],
        ["Worker"] = ["Payloads", "Tasks", "Execution", "Service", "Hosting"],
        ["Handlers"] = ["Common", "Chaos", "Cpu", "Io", Root],
        ["Coordinator"] =
        [
            "Infrastructure", "Mapping", "Journal", "EngineHosts", "Dispatch", "Security", "Supervision", "Services", "Telemetry", "Admin",
            "Hosting",
        ],
        ["App"] = [Root],
        ["Cli"] = ["Common", "Options", "Output", "Doctor", "Bench", "LoadTest", "Demo", "Guide", "Top", "Commands", Root],
    };
}
