using Orchestrator.V1;

namespace Orchestrator.Client.Contract;

/// <summary>How one <see cref="TaskStream"/> behaves.</summary>
public sealed record TaskStreamOptions
{
    /// <summary>As results complete, or in the order of submission.</summary>
    public ResultOrder Order { get; init; } = ResultOrder.Completion;

    /// <summary>Options of every task that has none of its own.</summary>
    public TaskOptions? Defaults { get; init; }

    /// <summary>Lets unfinished tasks go on when the stream ends; otherwise they are cancelled.</summary>
    public bool DetachOnDisconnect { get; init; }

    /// <summary>Requests the timing of each task.</summary>
    public bool Timing { get; init; }

    /// <summary>Cancels the rest once a task fails.</summary>
    public bool FailFast { get; init; }

    /// <summary>
    /// The maximum number of unfinished tasks; 0 takes the coordinator's limit. Submitting beyond it waits.
    /// </summary>
    public int MaxInFlight { get; init; }

    /// <summary>
    /// Called for each result, in order, on the thread that reads the stream: the fastest way to take results. It
    /// must not block; it may submit. With it, <see cref="TaskStream.ReadAllAsync"/> is not available.
    /// </summary>
    public Action<TaskResult>? OnResult { get; init; }

    /// <summary>
    /// Called for each progress report, partial output and log line; setting it asks the coordinator for them. It
    /// must not block: events not read in time are missing, which <see cref="TaskEvent.DroppedBefore"/> states.
    /// </summary>
    public Action<TaskEvent>? OnEvent { get; init; }

    /// <summary>
    /// Called in place of <see cref="OnResult"/> with a result that came alone; what it returns continues once another thread reads the
    /// stream.
    /// </summary>
    internal Func<TaskResult, IResultContinuation?>? OnLoneResult { get; init; }

    /// <summary>Called with the tags and ids of accepted tasks; setting it asks the coordinator for them. It must not block.</summary>
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
