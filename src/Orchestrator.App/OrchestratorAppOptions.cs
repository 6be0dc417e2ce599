using Orchestrator.Contracts;
using Orchestrator.Coordinator;
using Orchestrator.Coordinator.Supervision;

namespace Orchestrator.App;

/// <summary>What an embedded pool can be told.</summary>
public sealed record OrchestratorAppOptions
{
    /// <summary>Worker processes; one per core that the program may use.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Workers started ahead, to take over at once where one is lost: 0 or 1.</summary>
    public int HotSpares { get; init; } = 1;

    /// <summary>Whether each worker is pinned to a core.</summary>
    public bool PinWorkers { get; init; } = true;

    /// <summary>IO tasks that a worker runs at once.</summary>
    public int MaxConcurrentIo { get; init; } = 10_000;

    /// <summary>Names of environment variables that workers inherit beyond PATH, HOME and the like.</summary>
    public IReadOnlyList<string> InheritedVariables { get; init; } = [];

    /// <summary>
    /// The loopback port on which other programs reach the pool, 0 for any free one. Null, as usual, opens none: the program reaches its pool through a
    /// socket in a directory that is its own.
    /// </summary>
    public int? GrpcPort { get; init; }

    /// <summary>The loopback port of health over HTTP/1, where <see cref="GrpcPort"/> is given; 0 for any free one.</summary>
    public int HttpPort { get; init; }

    /// <summary>Where token, sockets and endpoint file lie. Null makes a directory for this life of the program, and removes it after.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>How long the end of the program waits for tasks whose callers no longer wait, before it cancels them; <see cref="Timeout.InfiniteTimeSpan"/> waits for all.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.Zero;

    internal CoordinatorOptions ToCoordinator(string dataDirectory, IReadOnlyList<string> workerCommand) => new()
    {
        ListenOnTcp = GrpcPort is not null,
        GrpcPort = GrpcPort ?? 0,
        HttpPort = HttpPort,
        DataDirectory = dataDirectory,
        DrainTimeout = DrainTimeout == Timeout.InfiniteTimeSpan ? ProtocolConstants.LongestTimer : DrainTimeout,
        OwnsProcess = false,
        Supervision = new SupervisorOptions
        {
            Workers = Workers,
            HotSpares = HotSpares,
            PinWorkers = PinWorkers,
            MaxConcurrentIo = MaxConcurrentIo,
            InheritedVariables = InheritedVariables,
            Command = workerCommand,
        },
    };
}
