using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tasks;

/// <summary>
/// What clients learn about tasks: events as they happen and as they are kept for late watchers, results as they are delivered, and how
/// long ended tasks stay readable.
/// </summary>
internal sealed class ResultStore(TaskEngineContext context)
{
    private readonly ResultRetention _delivered = new(context.Options.MaxDeliveredResults, context.Options.MaxDeliveredBytes);
    private readonly Queue<TaskOwner> _failedFast = new();

    /// <summary>The sequence of the last event.</summary>
    public long LastSequence { get; private set; } = context.Options.LastSequence;

    /// <summary>Publishes an event to the watchers of a task and keeps it if the task's record does not; returns its sequence.</summary>
    public long Publish(TaskRecord task, TaskEventKind kind, object? content = null, int contentBytes = 0)
    {
        var sequence = ++LastSequence;
        if (task.SideData is { } sideData)
        {
            var item = new TaskEventRecord(task, kind, sequence, context.Now, content, contentBytes) { Counts = sideData.Counts };
            if (kind is TaskEventKind.Progress or TaskEventKind.PartialOutput or TaskEventKind.Log)
                AddTo(sideData.History ??= new TaskHistory(), item);
            if (sideData.Watchers is { } watchers)
            {
                foreach (var watcher in watchers)
                {
                    if (kind == TaskEventKind.Ended || !watcher.EndsOnly)
                        context.Effects.Notifications.Add(new Notification(watcher, null, item));
                }
            }
        }

        return sequence;
    }

    /// <summary>Publishes what a running attempt reports, to watchers and to an owner that requested events.</summary>
    public void PublishUpdate(TaskRecord task, in AttemptUpdate update)
    {
        var sideData = task.GetSideData();
        if (update.Kind == TaskEventKind.Progress)
            sideData.Progress = update.Content;
        sideData.Counts = sideData.Counts.With(update.Kind);
        var sequence = Publish(task, update.Kind, update.Content, update.ContentBytes);
        if (task.Owner is { WantsEvents: true } owner)
        {
            context.Effects.Notifications.Add(new Notification(null, owner, new TaskEventRecord(
                task, update.Kind, sequence, context.Now, update.Content, update.ContentBytes)
            { Counts = sideData.Counts }));
        }
    }

    /// <summary>Keeps the start of an attempt that another follows: the task's record holds only the last start.</summary>
    public void KeepStart(TaskRecord task)
    {
        var history = task.GetSideData().History ??= new TaskHistory();
        if (task.StartedSequence != 0)
            AddTo(history, new TaskEventRecord(task, TaskEventKind.Running, task.StartedSequence, task.StartedAt));
    }

    /// <summary>Publishes and keeps that a task is queued again, after <see cref="KeepStart"/>.</summary>
    public void PublishRequeued(TaskRecord task)
    {
        var sequence = Publish(task, TaskEventKind.Queued);
        AddTo(task.SideData!.History!, new TaskEventRecord(task, TaskEventKind.Queued, sequence, context.Now));
    }

    /// <summary>Registers a watcher on tasks, and reports their events so far in <see cref="TaskEffects.WatchStarted"/>.</summary>
    public void OnWatch(TaskCommand.Watch watch)
    {
        var past = new List<TaskEventRecord>();
        var had = new Dictionary<long, EventCounts>();
        var unknown = new List<long>();
        var unfinished = 0;
        foreach (var id in watch.TaskIds)
        {
            if (context.Tasks.Find(id) is not { } task)
            {
                unknown.Add(id);
                continue;
            }

            AddPast(task, watch.AfterSequence, past);
            if (task.SideData?.History is { } history)
                had[id] = history.CountsUpTo(watch.AfterSequence);
            if (task.HasEnded)
                continue;
            unfinished++;
            (task.GetSideData().Watchers ??= []).Add(watch.Watcher);
        }

        past.Sort((left, right) => left.Sequence.CompareTo(right.Sequence));
        context.Effects.WatchStarted = new WatchStart(past, had, unfinished, unknown);
    }

    /// <summary>Unregisters a watcher.</summary>
    public void OnUnwatch(TaskCommand.Unwatch unwatch)
    {
        foreach (var id in unwatch.TaskIds)
        {
            if (context.Tasks.Find(id)?.SideData is { Watchers: { } watchers } sideData)
            {
                watchers.Remove(unwatch.Watcher);
                if (watchers.Count == 0)
                    sideData.Watchers = null;
            }
        }
    }

    /// <summary>Journals and publishes the end of a task, delivers its result, and keeps it as long as it may be requested.</summary>
    public void Complete(TaskRecord task)
    {
        if (task.IsDurable)
            RecordEnd(task);
        task.EndedSequence = Publish(task, TaskEventKind.Ended);
        // A result with a request id may be requested again, and not only by the caller that has received it. A task whose code still runs
        // in process must be found when that code returns.
        if (!Deliver(task) || task.SideData?.RequestId is not null || task.Has(TaskFlags.Abandoned))
        {
            Retain(task);
            return;
        }

        for (var evicted = _delivered.Add(task); evicted is not null; evicted = _delivered.Add(null))
            Forget(evicted);
    }

    /// <summary>The next owner whose first task that did not succeed cancels the rest; null if there is none.</summary>
    public TaskOwner? TakeFailedFast() => _failedFast.TryDequeue(out var owner) ? owner : null;

    /// <summary>The time to live of a result has passed.</summary>
    public void Expire(TaskRecord task)
    {
        if (task.Has(TaskFlags.Abandoned))
        {
            // Checked again later, whatever the time to live: a deadline of now would keep Tick from ending.
            context.Deadlines.Set(task, context.Now + Math.Max(context.Options.ResultTtl.Ticks, TimeSpan.TicksPerSecond));
            return;
        }

        task.Clear(TaskFlags.Retained);
        context.Usage.RemoveRetained(task);
        context.Deadlines.Remove(task);
        Forget(task);
    }

    /// <summary>Restores the end of a durable task of an earlier process.</summary>
    public void Restore(TaskRecord task, TaskEnd end)
    {
        task.Phase = TaskPhase.Ended;
        task.Input = null;
        task.EndState = end.State;
        task.Attempt = end.Attempt;
        task.WorkerName = end.Worker;
        task.StartedAt = end.StartedAt;
        task.EndedAt = end.EndedAt;
        task.RunTicks = end.RunTicks;
        task.Output = end.Output;
        task.OutputBytes = end.OutputBytes;
        if (end.Failure is { } failure)
        {
            task.GetSideData().Failure = failure;
            task.ExtraBytes += failure.Bytes;
        }

        task.EndedSequence = Publish(task, TaskEventKind.Ended);
        Retain(task);
    }

    private static void AddPast(TaskRecord task, long after, List<TaskEventRecord> past)
    {
        if (task.AcceptedSequence > after)
            past.Add(new TaskEventRecord(task, TaskEventKind.Queued, task.AcceptedSequence, task.AcceptedAt));
        if (task.SideData?.History is { } history)
            past.AddRange(history.After(after));
        if (task.StartedSequence > after)
            past.Add(new TaskEventRecord(task, TaskEventKind.Running, task.StartedSequence, task.StartedAt));
        if (task.EndedSequence > after)
            past.Add(new TaskEventRecord(task, TaskEventKind.Ended, task.EndedSequence, task.EndedAt) { Counts = task.EventCounts });
    }

    /// <summary>
    /// Old events are kept for convenience: if there is no room for them, the task continues without, and a late watcher gets
    /// their number.
    /// </summary>
    private void AddTo(TaskHistory history, in TaskEventRecord item)
    {
        var before = history.Bytes;
        history.Add(item);
        context.Usage.HistoryBytes += history.Bytes - before;
        if (context.Usage.Fits(0))
            return;
        context.Usage.HistoryBytes -= history.Bytes;
        history.Clear();
        context.Usage.HistoryBytes += history.Bytes;
    }

    private void RecordEnd(TaskRecord task) => context.Changes.Record(task, new TaskEnded(
        task.Id, new TaskEnd(task.EndState, task.Attempt, task.WorkerName, task.StartedAt, task.EndedAt, task.RunTicks)
        {
            Output = task.Output,
            OutputBytes = task.OutputBytes,
            Failure = task.Failure,
        },
        task));

    /// <summary>Delivers an ended task to its owner and the callers that joined it; true if there was any.</summary>
    private bool Deliver(TaskRecord task)
    {
        var given = false;
        if (task.Owner is { } owner)
        {
            owner.Unlink(task);
            if (!owner.IsAbandoned)
            {
                context.Effects.Deliveries.Add(new Delivery(owner, task, task.Tag));
                given = true;
            }

            task.Owner = null;
            if (owner is { FailFast: true, FailedFast: false, IsAbandoned: false } && task.EndState != TaskState.Succeeded)
            {
                owner.FailedFast = true;
                _failedFast.Enqueue(owner);
            }
        }

        if (task.SideData?.Joiners is { } joiners)
        {
            task.SideData.Joiners = null;
            foreach (var (joiner, tag) in joiners)
            {
                if (joiner.IsAbandoned)
                    continue;
                context.Effects.Deliveries.Add(new Delivery(joiner, task, tag));
                given = true;
            }
        }

        return given;
    }

    private void Retain(TaskRecord task)
    {
        task.Set(TaskFlags.Retained);
        context.Usage.AddRetained(task);
        context.Deadlines.Set(task, task.EndedAt + (task.Policy.ResultTtl ?? context.Options.ResultTtl).Ticks);
    }

    private void Forget(TaskRecord task)
    {
        context.Tasks.Remove(task);
        if (task.SideData is { History: { } history } sideData)
        {
            context.Usage.HistoryBytes -= history.Bytes;
            sideData.History = null;
        }

        if (task.IsDurable)
            context.Changes.Record(task, new TaskForgotten(task.Id));
    }
}
