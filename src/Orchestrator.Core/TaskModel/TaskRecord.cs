using Orchestrator.Core.Common;

namespace Orchestrator.Core.TaskModel;

/// <summary>
/// One accepted task. Plain fields and intrusive links, since a million of these may be queued (≤ 400 bytes each above the payload).
/// Written only under the engine's lock; the members that may be read without the lock are set before the record is published and never
/// change: <see cref="Id"/>, <see cref="Handler"/>, and the whole result once the task has ended.
/// </summary>
public sealed class TaskRecord : DeadlineNode
{
    internal TaskRecord? Previous;
    internal TaskRecord? Next;
    internal TaskRecord? OwnerPrevious;
    internal TaskRecord? OwnerNext;
    internal TaskSideData? SideData;
    internal TaskQueue? Queue;
    internal WorkerNode? Worker;
    internal ClientTaskQuota? Client;
    internal int Slot = -1;

    /// <summary>
    /// The quota that its attempts' use of shared objects is charged to; null where no client is known, as after a restart.
    /// </summary>
    public Kernel.ClientObjectQuota? ObjectClient => Client?.Objects;

    /// <summary>The account of its submitter; empty where it is not known, as after a restart.</summary>
    public string ClientName => Client?.Name ?? "";

    // Its size beyond a plain record and its payload, as it counts against the budgets; includes its error once it has ended.
    internal int ExtraBytes;
    internal TaskPhase Phase;
    internal EndIntent Intent;
    internal TaskState EndState;
    internal TaskFlags Flags;

    internal TaskRecord(long id, HandlerProfile handler, TaskPolicy policy, object? input, int inputBytes)
        : base(id)
    {
        Handler = handler;
        Policy = policy;
        Input = input;
        InputBytes = inputBytes;
        Attempt = 1;
    }

    /// <summary>The task's number, growing in the order of acceptance.</summary>
    public long Id => Order;

    /// <summary>Chosen by the submitter.</summary>
    public ulong Tag { get; internal set; }

    /// <summary>The handler that runs it.</summary>
    public HandlerProfile Handler { get; internal set; }

    /// <summary>Its options.</summary>
    public TaskPolicy Policy { get; }

    /// <summary>The input, opaque to the engine; released when the task ends.</summary>
    public object? Input { get; internal set; }

    /// <summary>The size of <see cref="Input"/> in bytes.</summary>
    public int InputBytes { get; }

    /// <summary>The output of a task that succeeded, opaque to the engine.</summary>
    public object? Output { get; internal set; }

    /// <summary>The size of <see cref="Output"/> in bytes.</summary>
    public int OutputBytes { get; internal set; }

    /// <summary>The attempt that runs, ran last or will run next; 1 is the first.</summary>
    public int Attempt { get; internal set; }

    /// <summary>The owner, while there is one.</summary>
    public TaskOwner? Owner { get; internal set; }

    /// <summary>When it was accepted, on the engine's monotonic clock, in ticks of 100 ns.</summary>
    public long AcceptedAt { get; internal set; }

    /// <summary>When its last attempt started; 0 before.</summary>
    public long StartedAt { get; internal set; }

    /// <summary>When it ended; 0 before.</summary>
    public long EndedAt { get; internal set; }

    /// <summary>How long its last attempt ran by the worker's own clock, in ticks of 100 ns.</summary>
    public long RunTicks { get; internal set; }

    /// <summary>The event sequence of its acceptance.</summary>
    public long AcceptedSequence { get; internal set; }

    /// <summary>The event sequence of its last start; 0 before.</summary>
    public long StartedSequence { get; internal set; }

    /// <summary>The event sequence of its end; 0 before.</summary>
    public long EndedSequence { get; internal set; }

    /// <summary>The state as its owner sees it.</summary>
    public TaskState State => Phase switch
    {
        TaskPhase.Ended => EndState,
        TaskPhase.Assigned when StartedAt != 0 => TaskState.Running,
        _ => TaskState.Queued,
    };

    /// <summary>Whether it has its end state.</summary>
    public bool HasEnded => Phase == TaskPhase.Ended;

    /// <summary>Whether its changes are journaled.</summary>
    internal bool IsDurable => Policy.Durability > Durability.Memory;

    /// <summary>The request id that it was submitted with; empty without one.</summary>
    public string RequestId => SideData?.RequestId ?? "";

    /// <summary>The W3C trace context that it was submitted with; empty without one.</summary>
    public string TraceParent => SideData?.TraceParent ?? "";

    /// <summary>What the host traces of it, opaque to the engine; set under the engine's lock.</summary>
    public object? Trace
    {
        get => SideData?.Trace;
        set
        {
            if (value is not null || SideData is not null)
                GetSideData().Trace = value;
        }
    }

    /// <summary>Why it did not succeed.</summary>
    public TaskFailure? Failure => SideData?.Failure;

    /// <summary>The worker that ran its last attempt, such as <c>worker-1#3</c>; empty in process or before any.</summary>
    public string WorkerName { get; internal set; } = "";

    /// <summary>Earlier attempts, oldest first; of more than a hundred the first and the last ones.</summary>
    public IReadOnlyList<AttemptSummary> EarlierAttempts => SideData?.Attempts ?? (IReadOnlyList<AttemptSummary>)[];

    /// <summary>The last progress that the handler reported, opaque to the engine.</summary>
    public object? Progress => SideData?.Progress;

    /// <summary>Processor time of the last attempt in ticks of 100 ns, where it was measured.</summary>
    public long CpuTicks => SideData?.CpuTicks ?? 0;

    /// <summary>Bytes that the last attempt allocated, where it was measured.</summary>
    public long AllocatedBytes => SideData?.AllocatedBytes ?? 0;

    /// <summary>From the end of its last attempt until its result arrived, where measured.</summary>
    public long ReplyTicks => SideData?.ReplyTicks ?? 0;

    /// <summary>How many events there have been that no later event replaces.</summary>
    public EventCounts EventCounts => SideData?.Counts ?? default;

    internal TaskSideData GetSideData() => SideData ??= new TaskSideData();

    internal bool Has(TaskFlags flag) => (Flags & flag) != 0;

    internal void Set(TaskFlags flag) => Flags |= flag;

    internal void Clear(TaskFlags flag) => Flags &= ~flag;
}

/// <summary>Flags of a task.</summary>
[Flags]
internal enum TaskFlags : byte
{
    None = 0,

    /// <summary>It holds a permit of its concurrency key.</summary>
    HoldsPermit = 1,

    /// <summary>
    /// Its fairness queue has been charged for it, so that returning it to the queue and taking it again costs no second turn.
    /// </summary>
    Charged = 2,

    /// <summary>Its worker was asked to return it.</summary>
    ReturnRequested = 4,

    /// <summary>It has ended for its owner while an attempt that cannot be stopped still occupies an in-process lane.</summary>
    Abandoned = 8,

    /// <summary>It was sent to its worker's running slots, as opposed to its prefetched window.</summary>
    Running = 16,

    /// <summary>It counts against the retention limit until its result expires.</summary>
    Retained = 32,

    /// <summary>It has condemned its worker and is to be retried once that worker is dead.</summary>
    AwaitingWorkerKill = 64,

    /// <summary>It holds a permit of its rate limiter that has not led to a start.</summary>
    HoldsRatePermit = 128,
}

/// <summary>Data that only some tasks have, kept out of the main record.</summary>
internal sealed class TaskSideData
{
    public TaskFailure? Failure;
    public string? RequestId;
    public string? TraceParent;
    public object? Trace;
    public List<TaskRecord>? Dependents;
    public int PendingDependencies;
    public List<AttemptSummary>? Attempts;
    public List<(TaskOwner Owner, ulong Tag)>? Joiners;
    public List<TaskWatcher>? Watchers;
    public TaskHistory? History;
    public EventCounts Counts;
    public PermitQueue? PermitQueue;
    public object? Progress;
    public long QueuedAt;
    public long CpuTicks;
    public long AllocatedBytes;
    public long ReplyTicks;
}

/// <summary>An attempt that ended and was followed by another.</summary>
/// <param name="Number">1 is the first.</param>
/// <param name="Worker">Where it ran.</param>
/// <param name="StartedAt">When it started, in ticks of 100 ns on the engine's clock.</param>
/// <param name="RunTicks">How long it ran, in ticks of 100 ns.</param>
/// <param name="Failure">Why it failed.</param>
public sealed record AttemptSummary(int Number, string Worker, long StartedAt, long RunTicks, TaskFailure Failure)
{
    /// <summary>Its size in bytes.</summary>
    internal int Bytes => 80 + Failure.Bytes;
}
