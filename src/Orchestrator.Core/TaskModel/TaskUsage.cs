using Orchestrator.Core.Common;

namespace Orchestrator.Core.TaskModel;

/// <summary>How much the engine holds: its tasks by state, and the bytes that count against its limits and the memory budget.</summary>
internal sealed class TaskUsage(MemoryShare memory)
{
    // As measured with a million queued tasks, rounded up.
    public const int RecordBytes = 400;

    /// <summary>Counts over all tasks.</summary>
    public TaskTally Tally { get; } = new();

    private readonly Dictionary<string, long> _shedByLimit = [];
    private readonly long[] _cancelled = new long[Enum.GetValues<CancelRung>().Length];

    /// <summary>Tasks that were refused because a limit was reached, and the last refusal.</summary>
    public Incident Shed { get; private set; }

    /// <summary>How many were refused because of which limit.</summary>
    public IReadOnlyDictionary<string, long> ShedByLimit => _shedByLimit;

    /// <summary>How many tasks each step of the cancellation has ended, by <see cref="CancelRung"/>.</summary>
    public ReadOnlySpan<long> Cancelled => _cancelled;

    /// <summary>Tasks that killed as many workers as their retry policy allows, and the last one's failure.</summary>
    public Incident Quarantined { get; private set; }

    /// <summary>Tasks without an end state.</summary>
    public int Unfinished { get; private set; }

    /// <summary>Ended tasks whose results are kept for their time to live.</summary>
    public int Retained { get; private set; }

    /// <summary>
    /// Bytes of inputs of unfinished tasks and of kept results, and of these tasks' data beyond a plain record: options, errors,
    /// unknown names.
    /// </summary>
    public long PayloadBytes { get; private set; }

    /// <summary>Bytes of old events; written by the owner of these.</summary>
    public long HistoryBytes { get; set; }

    /// <summary>Bytes of remembered request ids; written by the owner of these.</summary>
    public long RequestIdBytes { get; set; }

    /// <summary>
    /// The payload bytes, a record for each task, its events and the request ids: the amount that counts against the memory
    /// budget.
    /// </summary>
    public long KeptBytes => PayloadBytes + HistoryBytes + RequestIdBytes + (RecordBytes * ((long)Unfinished + Retained));

    /// <summary>The budget that all engines share.</summary>
    public MemoryBudget Budget => memory.Budget;

    /// <summary>Whether new work of this many bytes may be accepted.</summary>
    public bool FitsNewWork(long bytes) => memory.FitsNewWork(KeptBytes + bytes);

    /// <summary>Whether this many bytes more may be kept for work that was accepted before.</summary>
    public bool Fits(long bytes) => memory.Fits(KeptBytes + bytes);

    /// <summary>Publishes the kept bytes to the other engines.</summary>
    public void Publish() => memory.Publish(KeptBytes);

    /// <summary>A task without an end state is new here.</summary>
    public void AddUnfinished(TaskRecord task)
    {
        Unfinished++;
        PayloadBytes += task.InputBytes + task.ExtraBytes;
        task.Client?.Add(task.InputBytes + task.ExtraBytes);
        Tally.Accepted++;
        if (task.Handler.IsKnown)
            task.Handler.Tally.Accepted++;
        CountQueued(task, 1);
    }

    /// <summary>A task gets its end state; called while its phase and its start still are those of its last attempt.</summary>
    public void RemoveUnfinished(TaskRecord task)
    {
        if (task.StartedAt != 0 && task.Phase == TaskPhase.Assigned)
        {
            CountRunning(task, -1);
            task.Handler.Tally.LastAttempts++;
            Tally.LastAttempts++;
        }
        else
        {
            CountQueued(task, -1);
        }

        Unfinished--;
        PayloadBytes -= task.InputBytes + task.ExtraBytes;
        task.Client?.Remove(task.InputBytes + task.ExtraBytes);
    }

    /// <summary>The data of an unfinished task beyond a plain record grows.</summary>
    public void Grow(TaskRecord task, int bytes)
    {
        task.ExtraBytes += bytes;
        PayloadBytes += bytes;
        task.Client?.Grow(bytes);
    }

    public void AddRetained(TaskRecord task)
    {
        Retained++;
        PayloadBytes += task.OutputBytes + task.ExtraBytes;
    }

    public void RemoveRetained(TaskRecord task)
    {
        Retained--;
        PayloadBytes -= task.OutputBytes + task.ExtraBytes;
    }

    /// <summary>A queued task counts for the handler that its name turned out to be.</summary>
    public void Resolve(TaskRecord task, HandlerProfile handler)
    {
        CountQueued(task, -1);
        task.Handler = handler;
        if (handler.IsKnown)
            handler.Tally.Accepted++;
        CountQueued(task, 1);
    }

    public void CountStart(TaskRecord task)
    {
        CountQueued(task, -1);
        CountRunning(task, 1);
    }

    /// <summary>An attempt that counted as running is queued again.</summary>
    public void CountUnstarted(TaskRecord task)
    {
        if (task.StartedAt == 0)
            return;
        task.StartedAt = 0;
        task.StartedSequence = 0;
        CountRunning(task, -1);
        CountQueued(task, 1);
    }

    public void CountRetry(TaskRecord task)
    {
        task.Handler.Tally.Retried++;
        Tally.Retried++;
    }

    /// <summary>A worker gave back an attempt that it had not begun.</summary>
    public void CountReturn(TaskRecord task)
    {
        task.Handler.Tally.Returned++;
        Tally.Returned++;
    }

    /// <summary>Counts a task that has got its end state.</summary>
    public void CountEnd(TaskRecord task)
    {
        var failure = task.Failure;
        var reason = failure?.Reason ?? FailureReason.None;
        if (task.Handler.IsKnown)
        {
            task.Handler.Tally.CountEnd(task.EndState, reason);
            task.Handler.Latencies.Record(task.EndedAt - task.AcceptedAt);
            if (task.StartedAt != 0)
                task.Handler.QueueTimes.Record(task.StartedAt - task.AcceptedAt);
        }

        Tally.CountEnd(task.EndState, reason);
        if (failure is null)
            return;
        if (failure.Rung != CancelRung.None)
            _cancelled[(int)failure.Rung]++;
        if (reason == FailureReason.Quarantined)
            Quarantined = new Incident(Quarantined.Count + 1, $"task {task.Id} ({task.Handler.Name}): {failure.Message}");
    }

    /// <summary>Counts a refused submission, if a limit is the cause.</summary>
    public void CountRefusal(TaskFailure refusal)
    {
        if (refusal.Reason != FailureReason.LimitExceeded)
            return;
        Shed = new Incident(Shed.Count + 1, refusal.Message);
        _shedByLimit[refusal.Limit] = _shedByLimit.GetValueOrDefault(refusal.Limit) + 1;
    }

    private void CountQueued(TaskRecord task, int by)
    {
        if (task.Handler.IsKnown)
            task.Handler.Tally.Queued += by;
        Tally.Queued += by;
    }

    private void CountRunning(TaskRecord task, int by)
    {
        task.Handler.Tally.Running += by;
        Tally.Running += by;
    }
}
