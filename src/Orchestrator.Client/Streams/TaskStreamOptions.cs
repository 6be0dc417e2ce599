using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>How one <see cref="TaskStream"/> behaves.</summary>
public sealed record TaskStreamOptions
{
    /// <summary>As results complete, or in the order of submission.</summary>
    public ResultOrder Order { get; init; } = ResultOrder.Completion;

    /// <summary>Applied to every task that carries no options of its own.</summary>
    public TaskOptions? Defaults { get; init; }

    /// <summary>Let unfinished tasks go on when the stream ends; otherwise they are cancelled.</summary>
    public bool DetachOnDisconnect { get; init; }

    /// <summary>Ask for the timing of each task.</summary>
    public bool Timing { get; init; }

    /// <summary>Cancel the rest once one task fails.</summary>
    public bool FailFast { get; init; }

    /// <summary>
    /// How many unfinished tasks to hold at most; 0 takes what the coordinator allows. Submitting beyond it waits.
    /// </summary>
    public int MaxInFlight { get; init; }

    /// <summary>
    /// Called for each result, in order, on the thread that reads the stream: the fastest way to take results. It
    /// must not block; it may submit. With it, <see cref="TaskStream.ReadAllAsync"/> is not available.
    /// </summary>
    public Action<TaskResult>? OnResult { get; init; }

    /// <summary>
    /// Called for each progress report, partial output and log line; setting it asks the coordinator for them. It
    /// must not block: what is not read in time is missing, which <see cref="TaskEvent.DroppedBefore"/> states.
    /// </summary>
    public Action<TaskEvent>? OnEvent { get; init; }

    /// <summary>Called with tags of accepted tasks and their ids; setting it asks the coordinator for them. It must not block.</summary>
    internal Action<IReadOnlyList<ulong>, IReadOnlyList<ulong>>? OnAccepted { get; init; }

    internal StreamOptions ToMessage() => new()
    {
        Order = Order,
        Defaults = Defaults,
        DetachOnDisconnect = DetachOnDisconnect,
        Timing = Timing,
        Events = OnEvent is not null,
        FailFast = FailFast,
        Ids = OnAccepted is not null,
    };
}
