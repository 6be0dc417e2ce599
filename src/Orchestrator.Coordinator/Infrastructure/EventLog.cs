namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>An event for operators: restarts, drains, condemned workers.</summary>
/// <param name="Sequence">Increases over all events of this coordinator.</param>
/// <param name="At">When.</param>
/// <param name="Kind">A stable identifier such as <c>worker.ready</c>.</param>
/// <param name="Subject">The subject, such as <c>worker-1#3</c>.</param>
/// <param name="Message">A readable description.</param>
internal sealed record OperatorEvent(long Sequence, DateTimeOffset At, string Kind, string Subject, string Message);

/// <summary>The last events, and the watchers of new ones.</summary>
internal sealed class EventLog(MonotonicClock clock)
{
    /// <summary>The kind of the event that replaces events no longer kept.</summary>
    public const string EventsDropped = "events.gone";

    private const int Kept = 10_000;
    private const int MaxBatch = 1_000;

    private readonly Lock _gate = new();
    private readonly Queue<OperatorEvent> _events = new();
    private TaskCompletionSource _added = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _sequence;

    public void Add(string kind, string subject, string message)
    {
        TaskCompletionSource added;
        lock (_gate)
        {
            _events.Enqueue(new OperatorEvent(++_sequence, clock.ToWallClock(clock.Now.Ticks), kind, subject, message));
            if (_events.Count > Kept)
                _events.Dequeue();
            (added, _added) = (_added, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        added.SetResult();
    }

    /// <summary>The sequence after which the newest events begin.</summary>
    /// <param name="count">How many events follow it.</param>
    public long SequenceBefore(int count)
    {
        lock (_gate)
            return Math.Max(0, _sequence - Math.Min(count, _events.Count));
    }

    /// <summary>
    /// Events after a sequence, then new ones as they occur. One event of kind <see cref="EventsDropped"/> stands for those no longer kept.
    /// </summary>
    public async IAsyncEnumerable<OperatorEvent> WatchAsync(
        long afterSequence, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var batch = new List<OperatorEvent>();
        while (true)
        {
            Task added;
            lock (_gate)
            {
                added = _added.Task;
                if (_events.TryPeek(out var oldest))
                    TakeAfter(ref afterSequence, oldest, batch);
            }

            foreach (var item in batch)
                yield return item;
            if (batch.Count == 0)
                await added.WaitAsync(cancellationToken);
            batch.Clear();
        }
    }

    private void TakeAfter(ref long afterSequence, OperatorEvent oldest, List<OperatorEvent> batch)
    {
        var (first, last) = (afterSequence + 1, oldest.Sequence - 1);
        if (first <= last)
        {
            batch.Add(
                new OperatorEvent(last, oldest.At, EventsDropped, "", $"events {first} to {last} are no longer kept: the last {Kept} are"));
            afterSequence = last;
        }

        // Sequences have no gaps, so the index of the next event is known.
        foreach (var item in _events.Skip((int)Math.Clamp(afterSequence + 1 - oldest.Sequence, 0, _events.Count)).Take(MaxBatch))
        {
            batch.Add(item);
            afterSequence = item.Sequence;
        }
    }
}
