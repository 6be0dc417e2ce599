namespace Orchestrator.Core.TaskModel;

/// <summary>What kind of event happened to a task.</summary>
public enum TaskEventKind : byte
{
    /// <summary>Accepted, or queued again.</summary>
    Queued,

    /// <summary>An attempt started.</summary>
    Running,

    /// <summary>The handler reported progress.</summary>
    Progress,

    /// <summary>The handler wrote a partial output.</summary>
    PartialOutput,

    /// <summary>The handler wrote a log line.</summary>
    Log,

    /// <summary>It has its end state; the task's record holds the result.</summary>
    Ended,
}

/// <summary>One event of one task.</summary>
/// <param name="Task">The task.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Sequence">Grows over all events of the engine.</param>
/// <param name="At">When, in ticks of 100 ns on the engine's clock.</param>
/// <param name="Content">What the handler reported, opaque to the engine.</param>
/// <param name="ContentBytes">Its size.</param>
public readonly record struct TaskEventRecord(
    TaskRecord Task, TaskEventKind Kind, long Sequence, long At, object? Content = null, int ContentBytes = 0)
{
    /// <summary>
    /// How many events there were that no later event replaces, this one included. Zero if that is unknown, as for a replayed
    /// state.
    /// </summary>
    public EventCounts Counts { get; init; }
}

/// <summary>
/// Events of one task that no later event replaces (a progress report replaces the one before): a watcher that misses some gets
/// their number.
/// </summary>
/// <param name="Partials">Partial outputs.</param>
/// <param name="LogLines">Log lines.</param>
public readonly record struct EventCounts(long Partials, long LogLines)
{
    /// <summary>The counts with one more event.</summary>
    public EventCounts With(TaskEventKind kind) => kind switch
    {
        TaskEventKind.PartialOutput => this with { Partials = Partials + 1 },
        TaskEventKind.Log => this with { LogLines = LogLines + 1 },
        _ => this,
    };
}

/// <summary>
/// The last events of one task beside its current state, for late watches. Bounded by number and by bytes: the oldest are dropped first.
/// </summary>
internal sealed class TaskHistory
{
    private const int MaxEvents = 1_000;
    private const int MaxBytes = 4 * 1024 * 1024;

    // Overhead of an event: its record and the object that holds the content.
    private const int EventBytes = 120;

    private readonly Queue<TaskEventRecord> _events = new();
    private readonly ForgottenEvents _partials = new();
    private readonly ForgottenEvents _logLines = new();
    private int _bytes;

    /// <summary>Its size, as it counts against the memory budget.</summary>
    public int Bytes => _bytes + (EventBytes * _events.Count) + _partials.Bytes + _logLines.Bytes;

    /// <summary>Drops all events but keeps their counts.</summary>
    public void Clear()
    {
        while (_events.Count > 0)
            DropOldest();
    }

    public void Add(in TaskEventRecord item)
    {
        _events.Enqueue(item);
        _bytes += item.ContentBytes;
        while (_events.Count > MaxEvents || (_bytes > MaxBytes && _events.Count > 1))
            DropOldest();
    }

    /// <summary>The counts of a watcher that has seen all events up to a sequence.</summary>
    public EventCounts CountsUpTo(long sequence)
    {
        var counts = new EventCounts(_partials.CountUpTo(sequence), _logLines.CountUpTo(sequence));
        foreach (var item in _events)
        {
            if (item.Sequence > sequence)
                break;
            counts = counts.With(item.Kind);
        }

        return counts;
    }

    private void DropOldest()
    {
        var item = _events.Dequeue();
        _bytes -= item.ContentBytes;
        if (item.Kind == TaskEventKind.PartialOutput)
            _partials.Add(item.Sequence);
        else if (item.Kind == TaskEventKind.Log)
            _logLines.Add(item.Sequence);
    }

    public IEnumerable<TaskEventRecord> After(long sequence) => _events.Where(item => item.Sequence > sequence);
}
