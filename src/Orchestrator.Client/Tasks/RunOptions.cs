using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>How a task is to be run. Immutable: change a copy with <c>with</c>, and share one among any number of tasks.</summary>
/// <remarks>A time of <see cref="Timeout.InfiniteTimeSpan"/> is no limit.</remarks>
public sealed record RunOptions
{
    /// <summary>What holds where nothing is said.</summary>
    public static RunOptions Default { get; } = new();

    /// <summary>In which process; see <see cref="Client.TaskPlacement"/>.</summary>
    public TaskPlacement Placement { get; init; } = TaskPlacement.CrossProcess;

    /// <summary>Larger runs first; waiting raises it, so that nothing starves.</summary>
    public int Priority { get; init; }

    /// <summary>How long it may wait to be started.</summary>
    public TimeSpan? QueueTimeout { get; init; }

    /// <summary>How long one attempt may run; enforced even where the handler never looks.</summary>
    public TimeSpan? RunTimeout { get; init; }

    /// <summary>How long all of it may take, with waits and retries.</summary>
    public TimeSpan? TotalTimeout { get; init; }

    /// <summary>Whether and when it is tried again; null runs it once.</summary>
    public RetryOptions? Retry { get; init; }

    /// <summary>Tasks of one key run on one worker while that lives.</summary>
    public string AffinityKey { get; init; } = "";

    /// <summary>At most <see cref="ConcurrencyLimit"/> tasks of this key run at once.</summary>
    public string ConcurrencyKey { get; init; } = "";

    /// <summary>See <see cref="ConcurrencyKey"/>.</summary>
    public int ConcurrencyLimit { get; init; }

    /// <summary>The name of a rate limiter from which each start takes a permit.</summary>
    public string RateLimiter { get; init; } = "";

    /// <summary>Keys of one priority share fairly.</summary>
    public string FairnessKey { get; init; } = "";

    /// <summary>The share of the key; 0 means 1.</summary>
    public double FairnessWeight { get; init; }

    /// <summary>Ids of tasks that must have succeeded before.</summary>
    public IReadOnlyList<ulong> DependsOn { get; init; } = [];

    /// <summary>For people and for lists.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>How long a cancelled handler may take to end by itself before its process is ended; null takes the coordinator's 2 s.</summary>
    public TimeSpan? CancelGrace { get; init; }

    /// <summary>How long a result that nobody has read is kept.</summary>
    public TimeSpan? ResultTtl { get; init; }

    /// <summary>
    /// An idempotency key: a second submission with the same key joins the first. The client itself uses it to submit again where the connection broke
    /// before the task was known to be accepted. Only for single tasks.
    /// </summary>
    public string RequestId { get; init; } = "";

    /// <summary>
    /// What a task that was accepted survives; unspecified, it is gone with the coordinator process. One that survives a restart of the coordinator is
    /// found again by the client.
    /// </summary>
    public Durability Durability { get; init; }

    /// <summary>The task may run twice: submit it again where a <see cref="TaskLostException"/> would be thrown.</summary>
    public bool ResubmitWhenLost { get; init; }

    /// <summary>As a message; null where all is as usual, which spares each task the bytes.</summary>
    internal TaskOptions? ToMessage()
    {
        var message = new TaskOptions
        {
            Priority = Priority,
            QueueTimeout = TimeLimits.OrNone(QueueTimeout),
            RunTimeout = TimeLimits.OrNone(RunTimeout),
            TotalTimeout = TimeLimits.OrNone(TotalTimeout),
            Retry = Retry?.ToMessage(),
            Placement = Placement switch
            {
                TaskPlacement.InProcess => V1.Placement.InProcessThreads,
                TaskPlacement.InProcessAsync => V1.Placement.InProcessAsync,
                TaskPlacement.InProcessSequential => V1.Placement.InProcessSequential,
                _ => V1.Placement.Unspecified,
            },
            AffinityKey = AffinityKey,
            ConcurrencyKey = ConcurrencyKey,
            ConcurrencyLimit = ConcurrencyLimit,
            RateLimiter = RateLimiter,
            FairnessKey = FairnessKey,
            FairnessWeight = FairnessWeight,
            CancelGrace = TimeLimits.OrLongest(CancelGrace),
            ResultTtl = TimeLimits.OrLongest(ResultTtl),
            Durability = Durability,
        };
        message.DependsOn.AddRange(DependsOn);
        foreach (var (name, value) in Labels)
            message.Labels.Add(name, value);
        return message.CalculateSize() == 0 ? null : message;
    }
}

/// <summary>When a task is tried again: after what the handler threw and a run timeout; not after wrong input, a cancel or another timeout.</summary>
public sealed record RetryOptions
{
    /// <summary>Attempts in all, the first included.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>The wait before the second attempt.</summary>
    public TimeSpan InitialBackoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>By how much each further wait is longer.</summary>
    public double BackoffMultiplier { get; init; } = 2;

    /// <summary>The longest wait.</summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Also after the worker died. Off by default: the task may have had effects.</summary>
    public bool RetryOnWorkerLost { get; init; }

    internal RetryPolicy ToMessage() => new()
    {
        MaxAttempts = MaxAttempts,
        InitialBackoff = TimeLimits.Finite(InitialBackoff, "the second attempt would never come; MaxAttempts = 1 tries once"),
        BackoffMultiplier = BackoffMultiplier,
        MaxBackoff = TimeLimits.OrLongest(MaxBackoff),
        RetryWorkerLost = RetryOnWorkerLost,
    };
}

/// <summary>In which process a task runs.</summary>
public enum TaskPlacement
{
    /// <summary>In a worker process: it can be ended whatever it does, and its crash is its own.</summary>
    CrossProcess,

    /// <summary>On threads of the coordinator's process, which is the program's own where it has an embedded pool.</summary>
    InProcess,

    /// <summary>All at once on the async scheduler of the coordinator's process.</summary>
    InProcessAsync,

    /// <summary>One after the other on one thread of the coordinator's process.</summary>
    InProcessSequential,
}

/// <summary>How a map goes over its inputs.</summary>
public sealed record MapOptions
{
    /// <summary>Results in the order of the inputs, like Python's <c>map</c>, or as they complete.</summary>
    public ResultOrder Order { get; init; } = ResultOrder.Submission;

    /// <summary>
    /// Inputs that are read ahead of the results that were taken: what bounds the memory of a map over an endless input. A slow reader stops the
    /// reading of inputs.
    /// </summary>
    public int MaxInFlight { get; init; } = 4_096;

    /// <summary>How each task is run.</summary>
    public RunOptions Task { get; init; } = RunOptions.Default;
}
