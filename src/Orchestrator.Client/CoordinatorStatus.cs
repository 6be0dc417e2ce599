using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>The state of a coordinator, its workers and its counts.</summary>
public sealed record CoordinatorStatus
{
    /// <summary>Its version.</summary>
    public string Version { get; init; } = "";

    /// <summary>The id of this run of it: another one after each start.</summary>
    public string Instance { get; init; } = "";

    /// <summary>Whether it takes no new work.</summary>
    public bool IsDraining { get; init; }

    /// <summary>Its workers, in the order of their names.</summary>
    public IReadOnlyList<WorkerStatus> Workers { get; init; } = [];

    /// <summary>Its tasks.</summary>
    public TaskTotals Tasks { get; init; } = new();

    /// <summary>Open sessions.</summary>
    public int Sessions { get; init; }

    /// <summary>Open task streams.</summary>
    public int Streams { get; init; }

    /// <summary>Queues.</summary>
    public long Queues { get; init; }

    /// <summary>Items in all queues.</summary>
    public long QueuedItems { get; init; }

    internal static CoordinatorStatus From(ServiceStatus status) => new()
    {
        Version = status.Version,
        Instance = status.Instance,
        IsDraining = status.Draining,
        Workers = [.. status.Workers.Select(WorkerStatus.From)],
        Tasks = TaskTotals.From(status.Tasks),
        Sessions = status.Sessions,
        Streams = status.Streams,
        Queues = status.Queues,
        QueuedItems = status.QueuedItems,
    };
}

/// <summary>Numbers of tasks: those that wait and run now, and the others since the coordinator started.</summary>
public sealed record TaskTotals
{
    /// <summary>Tasks that wait.</summary>
    public long Queued { get; init; }

    /// <summary>Tasks that run.</summary>
    public long Running { get; init; }

    /// <summary>Tasks with an output.</summary>
    public long Succeeded { get; init; }

    /// <summary>Tasks that failed.</summary>
    public long Failed { get; init; }

    /// <summary>Tasks that were cancelled.</summary>
    public long Cancelled { get; init; }

    /// <summary>Tasks that exceeded a timeout.</summary>
    public long TimedOut { get; init; }

    /// <summary>Tasks whose worker died.</summary>
    public long WorkerLost { get; init; }

    /// <summary>Attempts that were retries.</summary>
    public long Retried { get; init; }

    /// <summary>Tasks that end in each second.</summary>
    public double PerSecond { get; init; }

    internal static TaskTotals From(TaskCounts? counts) => counts is null ? new TaskTotals() : new TaskTotals
    {
        Queued = counts.Queued,
        Running = counts.Running,
        Succeeded = counts.Succeeded,
        Failed = counts.Failed,
        Cancelled = counts.Cancelled,
        TimedOut = counts.TimedOut,
        WorkerLost = counts.WorkerLost,
        Retried = counts.Retried,
        PerSecond = counts.PerSecond,
    };
}
