using Orchestrator.Core.Journal;
using Orchestrator.Core.Scheduling;

namespace Orchestrator.Core.Tasks;

// Durable tasks: their changes go into TaskEffects.Changes, and a restarted engine restores them.
public sealed partial class TaskEngine
{
    /// <summary>Unfinished tasks that must end before the engine can stop: excludes those that the next process will resume.</summary>
    public int UnfinishedHere => Math.Max(0, _context.Usage.Unfinished - _cancellation.LeftToNextProcess);

    /// <summary>The id of the last task.</summary>
    public long LastTaskId => _context.Tasks.NextId - 1;

    /// <summary>Restores the durable tasks of an earlier process, in the order of their ids, before the first command.</summary>
    /// <param name="tasks">The tasks.</param>
    /// <param name="forgotten">Tasks that are no longer kept; a caller that repeats one of their request ids gets an error.</param>
    /// <param name="now">The time; times of the tasks may lie before the engine's zero.</param>
    /// <param name="effects">
    /// The resulting changes: an attempt that was at a worker may have run, so it has failed with WORKER_LOST, and is followed by another
    /// only if the policy says so.
    /// </param>
    public void Restore(IEnumerable<RestoredTask> tasks, IEnumerable<ForgottenTask> forgotten, TimeSpan now, TaskEffects effects)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        ArgumentNullException.ThrowIfNull(forgotten);
        _context.Enter(now, effects);
        var requests = forgotten.ToList();
        var interrupted = new List<(TaskRecord Task, RestoredTask From)>();
        foreach (var restored in tasks)
        {
            var task = Restore(restored);
            if (restored.Submission.RequestId is { Length: > 0 } id)
                requests.Add(new ForgottenTask(task.Id, id, restored.AcceptedAt));
            if (restored.End is { } end)
                _results.Restore(task, end);
            else
                interrupted.Add((task, restored));
        }

        // If an id was reused after its window, it names the latest task.
        foreach (var (id, requestId, acceptedAt) in requests.OrderBy(request => request.TaskId))
            AddRequestId(requestId, id, acceptedAt);
        // All tasks are known now: the end of one may end those that depend on it.
        foreach (var (task, from) in interrupted)
            _completion.Resume(task, from);
        Leave();
    }

    /// <summary>
    /// Durable changes can no longer be written. Attempts whose start is not journaled are not started; queued tasks end with
    /// JOURNAL_FAILED, and running tasks do so when they return. In the journal all of them keep their state, for the next process.
    /// </summary>
    /// <param name="why">The cause.</param>
    /// <param name="unsent">Attempts that have not been sent to their workers.</param>
    /// <param name="untold">Ended tasks whose ends have not been reported.</param>
    /// <param name="now">The time.</param>
    /// <param name="effects">The resulting work.</param>
    public void FailJournal(string why, IReadOnlyList<AttemptId> unsent, IReadOnlyList<TaskRecord> untold, TimeSpan now, TaskEffects effects)
    {
        ArgumentNullException.ThrowIfNull(unsent);
        ArgumentNullException.ThrowIfNull(untold);
        _context.Enter(now, effects);
        _context.Changes.Fail(why);
        _attempts.OnJournalFailed(unsent, untold);
        Leave();
    }

    private TaskRecord Restore(RestoredTask restored)
    {
        var submission = restored.Submission;
        // Its handler is looked up when the first worker announces its handlers.
        var handler = HandlerProfile.Unknown(submission.Handler);
        var task = new TaskRecord(restored.TaskId, handler, submission.Policy, submission.Input, submission.InputBytes)
        {
            Tag = submission.Tag,
            AcceptedAt = restored.AcceptedAt,
            Attempt = restored.Attempts.Count + 1,
            ExtraBytes = submission.ExtraBytes + UnknownHandlerBytes + (sizeof(char) * submission.Handler.Length),
        };
        TaskCompletion.RestoreAttempts(task, restored.Attempts);
        if (submission.RequestId.Length > 0)
            task.GetExtras().RequestId = submission.RequestId;
        _context.Tasks.Add(task);
        task.AcceptedSequence = _results.Publish(task, TaskEventKind.Queued);
        return task;
    }
}
