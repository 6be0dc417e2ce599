using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tasks;

public sealed partial class TaskEngine
{
    /// <summary>
    /// The worker that has this attempt now, such as <c>worker-1#3</c>, empty in process; null if no worker has it (any more).
    /// </summary>
    public string? WorkerOf(long taskId, int attempt) =>
        _context.Tasks.Find(taskId) is { Phase: TaskPhase.Assigned } task && task.Attempt == attempt ? task.WorkerName : null;

    /// <summary>Messages that named an attempt which is not, or no longer, at their sender.</summary>
    public long StaleReports => _attempts.StaleReports;

    /// <summary>Counts over all tasks.</summary>
    public TaskTally Tally => _context.Usage.Tally;

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

    /// <summary>
    /// Registers a watcher on tasks and returns their events after <paramref name="afterSequence"/>, in order. Unknown ids are added to
    /// <paramref name="unknown"/>. The events of each task that the watcher already had are counted in <paramref name="had"/>: less than
    /// the count of the first event, if some in between are no longer kept.
    /// </summary>
    public IReadOnlyList<TaskEventRecord> Watch(
        TaskWatcher watcher,
        IReadOnlyList<long> taskIds,
        long afterSequence,
        ICollection<long> unknown,
        IDictionary<long, EventCounts>? had = null)
    {
        ArgumentNullException.ThrowIfNull(watcher);
        ArgumentNullException.ThrowIfNull(taskIds);
        ArgumentNullException.ThrowIfNull(unknown);
        return _results.Watch(watcher, taskIds, afterSequence, unknown, had);
    }

    /// <summary>Unregisters a watcher.</summary>
    public void Unwatch(TaskWatcher watcher, IReadOnlyList<long> taskIds)
    {
        ArgumentNullException.ThrowIfNull(taskIds);
        _results.Unwatch(watcher, taskIds);
    }
}
