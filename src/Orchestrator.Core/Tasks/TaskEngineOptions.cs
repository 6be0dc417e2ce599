namespace Orchestrator.Core.Tasks;

/// <summary>The numbers of the task engine. Bounds count tasks and bytes over the whole coordinator.</summary>
public sealed record TaskEngineOptions
{
    /// <summary>Every task's id is larger: a host that starts anew gives a number beyond those of its earlier life.</summary>
    public long LastTaskId { get; init; }

    /// <summary>Every event's sequence is larger, as <see cref="LastTaskId"/>: a watch that resumes after a restart misses nothing.</summary>
    public long LastSequence { get; init; }

    /// <summary>A waiting task gains one priority per this much time, so that nothing starves; zero turns aging off.</summary>
    public TimeSpan Aging { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a cooperative cancel may take before the worker is condemned, unless the task says otherwise.</summary>
    public TimeSpan CancelGrace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the innocent tasks of a condemned worker may go on.</summary>
    public TimeSpan CondemnedLifetime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a result that nobody was given is kept, unless the task says otherwise.</summary>
    public TimeSpan ResultTtl { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The most tasks that may be unfinished or hold a kept result.</summary>
    public int MaxTasks { get; init; } = 2_000_000;

    /// <summary>The most bytes of inputs of unfinished tasks and of kept results.</summary>
    public long MaxPayloadBytes { get; init; } = 1L << 30;

    /// <summary>The most unfinished tasks of one client.</summary>
    public int MaxTasksPerClient { get; init; } = 1_000_000;

    /// <summary>The most bytes of inputs of one client's unfinished tasks.</summary>
    public long MaxPayloadBytesPerClient { get; init; } = 1L << 29;

    /// <summary>The most results that stay readable after they were handed to their owner.</summary>
    public int MaxDeliveredResults { get; init; } = 2_000;

    /// <summary>The most bytes of such results.</summary>
    public long MaxDeliveredBytes { get; init; } = 64L << 20;

    /// <summary>How long a request id is remembered.</summary>
    public TimeSpan RequestIdWindow { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The most request ids that are remembered.</summary>
    public int MaxRequestIds { get; init; } = 100_000;

    /// <summary>The most bytes of those.</summary>
    public long MaxRequestIdBytes { get; init; } = 32L << 20;

    /// <summary>How much work, by its expected run time, is sent ahead to a worker's CPU lane.</summary>
    public TimeSpan PrefetchTarget { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>The most tasks that a CPU lane holds.</summary>
    public int MaxCredits { get; init; } = 1_024;

    /// <summary>
    /// One task is sent ahead even beyond <see cref="PrefetchTarget"/> while what runs is expected to be shorter than this: the gap of one
    /// round trip (~0.3 ms) would cost more than half a percent.
    /// </summary>
    public TimeSpan PrefetchOneBelow { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>A task sent ahead is asked back when another worker is dry and its wait is expected to be longer than this: about three round trips.</summary>
    public TimeSpan TakeBackAbove { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// So many attempts at short IO tasks go to one worker before the next one's turn. Those that come together then share messages and
    /// wake-ups instead of waking every worker for one each: with 2 workers and 64 unary calls in flight, half as many messages and a third more
    /// calls a second.
    /// </summary>
    public int IoNeighbours { get; init; } = 16;

    /// <summary>IO tasks that are expected to run as long as this, or have never run, are spread one by one: it is not the messages that they cost.</summary>
    public TimeSpan IoNeighboursBelow { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>The most affinity keys that are remembered.</summary>
    public int MaxAffinityKeys { get; init; } = 100_000;

    /// <summary>
    /// The groups of worker processes that there will be. Until each of them has said which handlers it has, a task with an unknown name waits,
    /// since it may be meant for one that is still starting. Empty: the first worker knows them all.
    /// </summary>
    public IReadOnlyList<string> WorkerGroups { get; init; } = [];
}
