using Orchestrator.Protocol;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.App;

/// <summary>The options of an embedded pool.</summary>
public sealed record OrchestratorAppOptions
{
    /// <summary>Worker processes; by default one per core that the program may use.</summary>
    public int Workers { get; set; } = Environment.ProcessorCount;

    /// <summary>Workers started ahead, to replace a lost one at once: 0 or 1.</summary>
    public int HotSpares { get; set; } = 1;

    /// <summary>Whether each worker is pinned to a core.</summary>
    public bool PinWorkers { get; set; } = true;

    /// <summary>IO tasks that a worker runs at once.</summary>
    public int MaxConcurrentIo { get; set; } = 10_000;

    /// <summary>Names of environment variables that workers inherit beyond PATH, HOME and the like.</summary>
    public IReadOnlyList<string> InheritedVariables { get; set; } = [];

    /// <summary>
    /// The loopback port on which other programs reach the pool, 0 for any free one. Null, the default, opens none: the program reaches its
    /// pool through a socket in its private directory.
    /// </summary>
    public int? GrpcPort { get; set; }

    /// <summary>The loopback port for health checks over HTTP/1, if <see cref="GrpcPort"/> is given; 0 for any free one.</summary>
    public int HttpPort { get; set; }

    /// <summary>
    /// The directory of the token, sockets and endpoint file. Null creates one for this run of the program and removes it afterwards.
    /// </summary>
    public string? DataDirectory { get; set; }

    /// <summary>
    /// How long shutdown waits for tasks without a waiting caller before it cancels them; <see cref="Timeout.InfiniteTimeSpan"/> waits for
    /// all.
    /// </summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.Zero;

    internal CoordinatorOptions ToCoordinator(string dataDirectory, IReadOnlyList<string> workerCommand) => new()
    {
        ListenOnTcp = GrpcPort is not null,
        GrpcPort = GrpcPort ?? 0,
        HttpPort = HttpPort,
        DataDirectory = dataDirectory,
        DrainTimeout = DrainTimeout == Timeout.InfiniteTimeSpan ? ProtocolConstants.LongestTimer : DrainTimeout,
        OwnsProcess = false,
        LogTasks = true,
        PublishMetrics = true,
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
