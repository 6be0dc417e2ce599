using Orchestrator.Core.Journal;
using Orchestrator.Core.Scheduling;

namespace Orchestrator.Core.Tasks;

// What is durable: what happened to such a task goes into TaskEffects.Changes, and an engine that starts anew takes it up again.
public sealed partial class TaskEngine
{
    private string? _journalFailure;
    private int _left;

    /// <summary>Unfinished tasks that somebody who stops the engine has to wait for: those that a later life takes up are not among them.</summary>
    public int UnfinishedHere => Math.Max(0, _unfinished - _left);

    /// <summary>The id of the last task.</summary>
    public long LastTaskId => _tasks.NextId - 1;

    /// <summary>Takes up the durable tasks of an earlier life, in the order of their ids, before the first command.</summary>
    /// <param name="tasks">The tasks.</param>
    /// <param name="forgotten">Those that are gone, for whoever sends one again.</param>
    /// <param name="now">The time; those of the tasks may lie before the engine's zero.</param>
    /// <param name="effects">
    /// What this changes: an attempt that was at a worker may have run, so it has failed with WORKER_LOST, and is followed by another only where the policy says so.
    /// </param>
    public void Restore(IEnumerable<RestoredTask> tasks, IEnumerable<ForgottenTask> forgotten, TimeSpan now, TaskEffects effects)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        ArgumentNullException.ThrowIfNull(forgotten);
        Enter(now, effects);
        var requests = forgotten.ToList();
        var interrupted = new List<(TaskRecord Task, RestoredTask From)>();
        foreach (var restored in tasks)
        {
            var task = Restore(restored);
            if (restored.Submission.RequestId is { Length: > 0 } id)
                requests.Add(new ForgottenTask(task.Id, id, restored.AcceptedAt));
            if (restored.End is { } end)
                Restore(task, end);
            else
                interrupted.Add((task, restored));
        }

        // The latest of an id that was used anew after its window is the one it names.
        foreach (var (id, requestId, acceptedAt) in requests.OrderBy(request => request.TaskId))
            _requestIds.Add(requestId, id, acceptedAt);
        // All are known now: the end of one may end those that depend on it.
        foreach (var (task, from) in interrupted)
            Resume(task, from);
        Leave();
    }

    /// <summary>
    /// Nothing durable can be written any more. What was to be started unwritten is not started; what is queued ends with JOURNAL_FAILED, and what runs does so when it returns.
    /// In the journal all of it stands as it was, for a later life.
    /// </summary>
    /// <param name="why">What happened.</param>
    /// <param name="unsent">Attempts that have not been sent to their workers.</param>
    /// <param name="untold">Ended tasks whose ends have not been told.</param>
    /// <param name="now">The time.</param>
    /// <param name="effects">What has to be done.</param>
    public void FailJournal(string why, IReadOnlyList<AttemptId> unsent, IReadOnlyList<TaskRecord> untold, TimeSpan now, TaskEffects effects)
    {
        ArgumentNullException.ThrowIfNull(unsent);
        ArgumentNullException.ThrowIfNull(untold);
        Enter(now, effects);
        _journalFailure ??= why;
        foreach (var task in untold)
        {
            task.EndState = TaskState.Failed;
            task.Output = null;
            task.GetExtras().Failure = Unwritten();
        }

        foreach (var attempt in unsent)
        {
            if (_tasks.Find(attempt.TaskId) is { Phase: TaskPhase.Assigned } task && task.Attempt == attempt.Attempt)
            {
                LeaveWorker(task);
                task.RunTicks = 0;
                CountUnstarted(task);
                End(task, TaskState.Failed, failure: Unwritten());
            }
        }

        foreach (var task in _tasks.NewestBefore(long.MaxValue).Where(task => IsDurable(task) && !task.HasEnded && task.Phase != TaskPhase.Assigned).ToArray())
        {
            if (!task.HasEnded)
                EndUnstarted(task, EndIntent.None);
        }

        Leave();
    }

    private static bool IsDurable(TaskRecord task) => task.Policy.Durability > Durability.Memory;

    private TaskFailure Unwritten() => new(
        FailureReason.JournalFailed, $"the journal has failed, so what is durable goes no further until the coordinator is restarted: {_journalFailure}");

    private void Record(TaskRecord task, TaskChange change)
    {
        if (_journalFailure is not null)
            return;
        _effects.Changes.Add(change);
        if (task.Policy.Durability > _effects.Level)
            _effects.Level = task.Policy.Durability;
    }

    private void RecordEnd(TaskRecord task) => Record(task, new TaskEnded(
        task.Id, new TaskEnd(task.EndState, task.Attempt, task.WorkerName, task.StartedAt, task.EndedAt, task.RunTicks)
        {
            Output = task.Output,
            OutputBytes = task.OutputBytes,
            Failure = task.Failure,
        },
        task));

    private TaskRecord Restore(RestoredTask restored)
    {
        var submission = restored.Submission;
        // Its handler is looked up when the first worker says which there are.
        var handler = HandlerProfile.Unknown(submission.Handler);
        var task = new TaskRecord(restored.TaskId, handler, submission.Policy, submission.Input, submission.InputBytes)
        {
            Tag = submission.Tag,
            AcceptedAt = restored.AcceptedAt,
            Attempt = restored.Attempts.Count + 1,
            ExtraBytes = submission.ExtraBytes + UnknownHandlerBytes + (sizeof(char) * submission.Handler.Length),
        };
        if (restored.Attempts.Count > 0)
        {
            task.GetExtras().Attempts = [.. restored.Attempts.Take(1), .. restored.Attempts.Skip(1).TakeLast(MaxAttemptsKept - 1)];
            task.ExtraBytes += task.Extras!.Attempts!.Sum(attempt => attempt.Bytes);
        }

        if (submission.RequestId.Length > 0)
            task.GetExtras().RequestId = submission.RequestId;
        _tasks.Add(task);
        task.AcceptedSequence = Publish(task, TaskEventKind.Queued);
        return task;
    }

    private void Restore(TaskRecord task, TaskEnd end)
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
            task.GetExtras().Failure = failure;
            task.ExtraBytes += failure.Bytes;
        }

        task.EndedSequence = Publish(task, TaskEventKind.Ended);
        Retain(task);
    }

    private void Resume(TaskRecord task, RestoredTask from)
    {
        _unfinished++;
        _payloadBytes += task.InputBytes + task.ExtraBytes;
        CountQueued(task, 1);
        if (from.IsCancelled)
        {
            task.Intent = EndIntent.Cancel;
            task.WorkerName = from.Worker ?? "";
            EndByIntent(task, null, from.Worker is null ? CancelRung.BeforeStart : CancelRung.Killed);
            return;
        }

        if (from.Worker is { } worker)
        {
            task.WorkerName = worker;
            var failure = new TaskFailure(FailureReason.WorkerLost, $"the coordinator ended while {worker} had the task; it may have run");
            if (!TryRetry(task, failure))
            {
                End(task, TaskState.WorkerLost, failure: failure);
                return;
            }
        }
        else if (from.Attempts is [.., var last] && task.Policy.Retry is { } retry)
        {
            // As it was set when that attempt ended, to the time that its report took.
            task.GetExtras().QueuedAt = last.StartedAt + last.RunTicks + retry.BackoffAfter(last.Number).Ticks;
        }

        task.Phase = TaskPhase.Unresolved;
        _unresolved.Add(task);
        SetDeadline(task);
    }
}
