namespace Orchestrator.Core.TaskModel;

/// <summary>The settings of the task engine. Limits count tasks and bytes over the whole coordinator.</summary>
public sealed record TaskEngineOptions
{
    /// <summary>Every task's id is larger: a restarted host passes a number above those of its earlier process.</summary>
    public long LastTaskId { get; init; }

    /// <summary>
    /// Every event's sequence is larger, like <see cref="LastTaskId"/>: a watch that resumes after a restart misses nothing.
    /// </summary>
    public long LastSequence { get; init; }

    /// <summary>A waiting task gains one priority per this much time, so that nothing starves; zero turns aging off.</summary>
    public TimeSpan Aging { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a cooperative cancel may take before the worker is condemned, unless the task says otherwise.</summary>
    public TimeSpan CancelGrace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the uninvolved tasks of a condemned worker may continue.</summary>
    public TimeSpan CondemnedLifetime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an undelivered result is kept, unless the task says otherwise.</summary>
    public TimeSpan ResultTtl { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The most tasks that may be unfinished or hold a kept result.</summary>
    public int MaxTasks { get; init; } = 2_000_000;

    /// <summary>The most bytes of inputs of unfinished tasks and of kept results.</summary>
    public long MaxPayloadBytes { get; init; } = 1L << 30;

    /// <summary>The largest input, output or partial output, in bytes.</summary>
    public int LargestPayload { get; init; } = int.MaxValue;

    /// <summary>The most unfinished tasks of one client.</summary>
    public int MaxTasksPerClient { get; init; } = 1_000_000;

    /// <summary>The most bytes of inputs of one client's unfinished tasks.</summary>
    public long MaxPayloadBytesPerClient { get; init; } = 1L << 29;

    /// <summary>The most results that stay readable after their delivery.</summary>
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
    /// One task is sent ahead even beyond <see cref="PrefetchTarget"/> while the running task is expected to be shorter than this: the gap
    /// of one round trip (~0.3 ms) would cost more than half a percent.
    /// </summary>
    public TimeSpan PrefetchOneBelow { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// A prefetched task is requested back when another worker is idle and its wait is expected to be longer than this: about
    /// three round trips.
    /// </summary>
    public TimeSpan TakeBackAbove { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// This many attempts at short IO tasks go to one worker before the next worker's turn. Attempts that arrive together then share
    /// messages and wake-ups instead of waking every worker for one each: with 2 workers and 64 unary calls in flight, half as many
    /// messages and a third more calls a second.
    /// </summary>
    public int IoNeighbours { get; init; } = 16;

    /// <summary>
    /// IO tasks that are expected to run as long as this, or have never run, are spread one by one: messages are not their main
    /// cost.
    /// </summary>
    public TimeSpan IoNeighboursBelow { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// A handler is brief while nine of ten of its latest runs took at most this: less than it costs to wake a worker for one.
    /// </summary>
    public TimeSpan BriefBelow { get; init; } = TimeSpan.FromMicroseconds(50);

    /// <summary>
    /// Tasks of brief handlers are packed on so many workers: as many as the processors can run at once, since each further one would be
    /// woken and would have to wait for a processor. Null: the coordinator's processors; an engine alone packs nothing.
    /// </summary>
    public int? BriefWorkers { get; init; }

    /// <summary>
    /// How much work of brief handlers, by its expected run time, is packed on one lane; what follows waits in its queue.
    /// </summary>
    public TimeSpan BriefBacklog { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// The most tasks of brief handlers that a lane holds while several clients' tasks are served: a task that is next in the fair order
    /// still waits behind what its lane holds.
    /// </summary>
    public int SharedBacklog { get; init; } = 64;

    /// <summary>
    /// A lane on which no task has ended for this long is no longer packed, and what has not started there is taken back.
    /// </summary>
    public TimeSpan BriefStall { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>The most affinity keys that are remembered.</summary>
    public int MaxAffinityKeys { get; init; } = 100_000;

    /// <summary>
    /// The expected groups of worker processes. Until each of them has announced its handlers, a task with an unknown name waits, since it
    /// may be meant for a group that is still starting. Empty: the first worker knows all handlers.
    /// </summary>
    public IReadOnlyList<string> WorkerGroups { get; init; } = [];
}
