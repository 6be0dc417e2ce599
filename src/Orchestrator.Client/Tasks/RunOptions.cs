using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks;

/// <summary>How a task is run. Immutable: change a copy with <c>with</c>, and share an instance among any number of tasks.</summary>
/// <remarks>A time of <see cref="Timeout.InfiniteTimeSpan"/> is no limit.</remarks>
public sealed record RunOptions
{
    /// <summary>The default options.</summary>
    public static RunOptions Default { get; } = new();

    /// <summary>The process that runs it; see <see cref="TaskPlacement"/>.</summary>
    public TaskPlacement Placement { get; init; } = TaskPlacement.CrossProcess;

    /// <summary>Larger runs first; waiting raises the priority, so no task starves.</summary>
    public int Priority { get; init; }

    /// <summary>How long the task may wait to start.</summary>
    public TimeSpan? QueueTimeout { get; init; }

    /// <summary>How long one attempt may run; enforced even if the handler ignores its cancellation.</summary>
    public TimeSpan? RunTimeout { get; init; }

    /// <summary>How long the task may take in total, with waits and retries.</summary>
    public TimeSpan? TotalTimeout { get; init; }

    /// <summary>Whether and when it is retried; null runs it once.</summary>
    public RetryOptions? Retry { get; init; }

    /// <summary>Tasks of one key run on one worker while that worker lives.</summary>
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

    /// <summary>Labels for people to read and to filter lists by.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// How long a cancelled handler may take to return before its process is ended; null takes the coordinator's default of 2 s.
    /// </summary>
    public TimeSpan? CancelGrace { get; init; }

    /// <summary>How long an unread result is kept.</summary>
    public TimeSpan? ResultTtl { get; init; }

    /// <summary>
    /// An idempotency key: a second submission with the same key joins the first. The client uses it to resubmit a task when the connection
    /// broke before the task was known to be accepted. Only for single tasks.
    /// </summary>
    public string RequestId { get; init; } = "";

    /// <summary>
    /// What an accepted task survives; if unspecified, it is lost with the coordinator process. The client finds a task that survives a
    /// restart of the coordinator again.
    /// </summary>
    public DurabilityLevel Durability { get; init; }

    /// <summary>The task may run twice: resubmit it instead of throwing a <see cref="TaskLostException"/>.</summary>
    public bool ResubmitWhenLost { get; init; }

    /// <summary>Converts to a message; null if all options have their defaults, which saves bytes per task.</summary>
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
            Durability = (Durability)Durability,
        };
        message.DependsOn.AddRange(DependsOn);
        foreach (var (name, value) in Labels)
            message.Labels.Add(name, value);
        return message.CalculateSize() == 0 ? null : message;
    }
}

/// <summary>
/// When a task is retried: after an exception of the handler or a run timeout; not after invalid input, a cancellation or another timeout.
/// </summary>
public sealed record RetryOptions
{
    /// <summary>The total number of attempts, the first included.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>The wait before the second attempt.</summary>
    public TimeSpan InitialBackoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The factor by which each further wait grows.</summary>
    public double BackoffMultiplier { get; init; } = 2;

    /// <summary>The longest wait.</summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Also retry after the worker's death. Off by default: the task may have had side effects.</summary>
    public bool RetryOnWorkerLost { get; init; }

    internal RetryPolicy ToMessage() => new()
    {
        MaxAttempts = MaxAttempts,
        InitialBackoff = TimeLimits.Finite(InitialBackoff, "the second attempt would never start; use MaxAttempts = 1 to try once"),
        BackoffMultiplier = BackoffMultiplier,
        MaxBackoff = TimeLimits.OrLongest(MaxBackoff),
        RetryWorkerLost = RetryOnWorkerLost,
    };
}

/// <summary>The process in which a task runs.</summary>
public enum TaskPlacement
{
    /// <summary>In a worker process: the task can always be ended, and its crash affects only that process.</summary>
    CrossProcess,

    /// <summary>On threads of the coordinator's process; with an embedded pool, that is the program's own process.</summary>
    InProcess,

    /// <summary>Concurrently on the async scheduler of the coordinator's process.</summary>
    InProcessAsync,

    /// <summary>Sequentially on one thread of the coordinator's process.</summary>
    InProcessSequential,
}

/// <summary>The order of the outputs of a map.</summary>
public enum OutputOrder
{
    /// <summary>The order of the inputs.</summary>
    Submission,

    /// <summary>As they complete.</summary>
    Completion,
}

/// <summary>How a map processes its inputs.</summary>
public sealed record MapOptions
{
    /// <summary>Results in the order of the inputs, like Python's <c>map</c>, or as they complete.</summary>
    public OutputOrder Order { get; init; } = OutputOrder.Submission;

    /// <summary>
    /// The maximum number of inputs read ahead of the results taken, which bounds the memory of a map over an endless input. A slow reader
    /// stops the reading of inputs.
    /// </summary>
    public int MaxInFlight { get; init; } = 4_096;

    /// <summary>How each task is run.</summary>
    public RunOptions Task { get; init; } = RunOptions.Default;
}
