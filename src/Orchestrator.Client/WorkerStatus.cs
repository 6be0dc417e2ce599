using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>What a worker process is doing.</summary>
public enum WorkerPhase
{
    /// <summary>A state that this client does not know.</summary>
    Unknown = 0,

    /// <summary>It starts.</summary>
    Starting = 1,

    /// <summary>It takes tasks.</summary>
    Ready = 2,

    /// <summary>It finishes its tasks and takes no more.</summary>
    Draining = 3,

    /// <summary>It has died, and waits to be started again.</summary>
    BackingOff = 4,

    /// <summary>It has died too often, and is not started again.</summary>
    Failed = 5,
}

/// <summary>The state of a worker process.</summary>
public sealed record WorkerStatus
{
    /// <summary>Its name, such as <c>worker-1</c>.</summary>
    public string Name { get; init; } = "";

    /// <summary>Its group.</summary>
    public string Group { get; init; } = "";

    /// <summary>Counts the processes that have had this name, from 1.</summary>
    public long Incarnation { get; init; }

    /// <summary>What it is doing.</summary>
    public WorkerPhase State { get; init; }

    /// <summary>Its process id; 0 if there is no process.</summary>
    public int Pid { get; init; }

    /// <summary>When it started; null if there is no process.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>How often it was started again.</summary>
    public long Restarts { get; init; }

    /// <summary>How its last process ended, for people; empty if none has.</summary>
    public string LastExit { get; init; } = "";

    /// <summary>
    /// What it runs on, as it says itself, such as <c>dotnet 10.0.12 linux-x64 native</c> or <c>python 3.11</c>; empty until it has.
    /// </summary>
    public string Runtime { get; init; } = "";

    /// <summary>Tasks that it runs.</summary>
    public int RunningTasks { get; init; }

    /// <summary>Tasks that have ended on it.</summary>
    public long CompletedTasks { get; init; }

    /// <summary>Of these, those that did not succeed.</summary>
    public long FailedTasks { get; init; }

    /// <summary>The share of one core that it uses, in per cent.</summary>
    public double CpuPercent { get; init; }

    /// <summary>The memory that it holds, in bytes.</summary>
    public ulong RssBytes { get; init; }

    internal static WorkerStatus From(WorkerInfo info) => new()
    {
        Name = info.Name,
        Group = info.Group,
        Incarnation = info.Incarnation,
        State = (WorkerPhase)info.State,
        Pid = info.Pid,
        StartedAt = info.StartedAt?.ToDateTimeOffset(),
        Restarts = info.Restarts,
        LastExit = info.LastExit,
        Runtime = info.Runtime,
        RunningTasks = info.RunningTasks,
        CompletedTasks = info.CompletedTasks,
        FailedTasks = info.FailedTasks,
        CpuPercent = info.CpuPercent,
        RssBytes = info.RssBytes,
    };
}
