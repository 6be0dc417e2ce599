using Orchestrator.Core.Scheduling;
using Orchestrator.Core.Spans;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tasks;

/// <summary>
/// What can be asked of a <see cref="TaskEngine"/>: answered from its current state, which no question changes. To be used under the
/// host's lock; the records that it returns live on and change with the engine.
/// </summary>
public sealed class TaskEngineView
{
    private readonly TaskEngineContext _context;
    private readonly ResultStore _results;
    private readonly WorkerPools _pools;
    private readonly Dispatcher _dispatcher;
    private readonly AttemptLifecycle _attempts;
    private readonly CancellationEscalation _cancellation;
    private readonly AdmissionControl _admission;
    private readonly WaitReasons _waits;

    internal TaskEngineView(
        TaskEngineContext context, ResultStore results, WorkerPools pools, Dispatcher dispatcher, AttemptLifecycle attempts,
        CancellationEscalation cancellation, AdmissionControl admission, AttemptSpans spans)
    {
        _context = context;
        _results = results;
        _pools = pools;
        _dispatcher = dispatcher;
        _attempts = attempts;
        _cancellation = cancellation;
        _admission = admission;
        Spans = spans;
        _waits = new WaitReasons(context, pools);
    }

    /// <summary>
    /// The worker that has this attempt now, such as <c>worker-1#3</c>, empty in process; null if no worker has it (any more).
    /// </summary>
    public string? WorkerOf(long taskId, int attempt) =>
        _context.Tasks.Find(taskId) is { Phase: TaskPhase.Assigned } task && task.Attempt == attempt ? task.WorkerName : null;

    /// <summary>Messages that named an attempt which is not, or no longer, at their sender.</summary>
    public long StaleReports => _attempts.StaleReports;

    /// <summary>When attempts ran.</summary>
    public AttemptSpans Spans { get; }

    /// <summary>Counts over all tasks.</summary>
    public TaskTally Tally => _context.Usage.Tally;

    /// <summary>When the ready task was accepted that was accepted first, in ticks; null if none waits for a worker.</summary>
    public long? OldestReady => _pools.OldestReady;

    /// <summary>The same of the tasks that are ready for a kind of lane of a worker process.</summary>
    public long? OldestReadyOf(WorkKind kind) => _pools.OldestReadyOf(kind);

    /// <summary>Tasks that were refused because a limit was reached.</summary>
    public Incident Shed => _context.Usage.Shed;

    /// <summary>How many tasks were refused because of which limit.</summary>
    public IReadOnlyDictionary<string, long> ShedByLimit => _context.Usage.ShedByLimit;

    /// <summary>How many tasks each step of the cancellation has ended, by <see cref="CancelRung"/>.</summary>
    public ReadOnlySpan<long> Cancelled => _context.Usage.Cancelled;

    /// <summary>Tasks that killed as many workers as their retry policy allows.</summary>
    public Incident Quarantined => _context.Usage.Quarantined;

    /// <summary>Why a task has not started, in one sentence; empty if it has.</summary>
    public string WhyWaiting(TaskRecord task) => _waits.Explain(task);

    /// <summary>Tasks without an end state.</summary>
    public int Unfinished => _context.Usage.Unfinished;

    /// <summary>Unfinished tasks that must end before the engine can stop: excludes those that the next process will resume.</summary>
    public int UnfinishedHere => Math.Max(0, Unfinished - _cancellation.LeftToNextProcess);

    /// <summary>The id of the last task.</summary>
    public long LastTaskId => _context.Tasks.NextId - 1;

    /// <summary>Ended tasks whose results are kept for their time to live.</summary>
    public int Retained => _context.Usage.Retained;

    /// <summary>
    /// Bytes of inputs of unfinished tasks and of kept results, and of these tasks' data beyond a plain record: options, errors,
    /// unknown names.
    /// </summary>
    public long PayloadBytes => _context.Usage.PayloadBytes;

    /// <summary>
    /// The payload bytes, a record for each task, its events and the request ids: the amount that counts against the memory
    /// budget.
    /// </summary>
    public long KeptBytes => _context.Usage.KeptBytes;

    /// <summary>Request ids that are remembered.</summary>
    public int RequestIdCount => _admission.RequestIdCount;

    /// <summary>Affinity keys that are remembered.</summary>
    public int AffinityKeyCount => _dispatcher.AffinityKeyCount;

    /// <summary>Tasks of a placement that wait for the one worker to which their affinity key is bound.</summary>
    internal int PinnedCount(PlacementPolicy placement) => _pools[placement].Pinned;

    /// <summary>The sequence of the last event.</summary>
    public long LastSequence => _results.LastSequence;

    /// <summary>Whether new tasks are refused.</summary>
    public bool IsDraining => _admission.IsDraining;

    /// <summary>The handlers that the workers of a placement offer, by name.</summary>
    public IEnumerable<HandlerProfile> HandlersOf(PlacementPolicy placement) =>
        _pools[placement].Handlers.Values.OrderBy(handler => handler.Name, StringComparer.Ordinal);

    /// <summary>A task, if it is known and its result has not expired.</summary>
    public TaskRecord? Find(long taskId) => _context.Tasks.Find(taskId);

    /// <summary>Why there is no task with this id.</summary>
    public string WhyMissing(long taskId) => _context.Tasks.WhyMissing(taskId);

    /// <summary>Known tasks with ids below <paramref name="before"/>, newest first.</summary>
    public IEnumerable<TaskRecord> NewestBefore(long before) => _context.Tasks.NewestBefore(before);

    /// <summary>
    /// Running tasks with ids below <paramref name="before"/>, newest first. They are found at their workers, so that the number of other
    /// known tasks does not matter.
    /// </summary>
    public IEnumerable<TaskRecord> RunningBefore(long before) =>
        _pools.Running.Where(task => task.Id < before).OrderByDescending(task => task.Id);
}
