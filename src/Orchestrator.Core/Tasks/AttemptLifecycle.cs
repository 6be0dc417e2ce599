using Orchestrator.Core.Scheduling;
using Orchestrator.Core.Spans;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tasks;

/// <summary>The attempts that are at workers: from their assignment to their report, their return, or the loss of their worker.</summary>
internal sealed class AttemptLifecycle(
    TaskEngineContext context, WaitingTasks waiting, ResultStore results, TaskTransitions transitions, AttemptSpans spans)
{
    /// <summary>Messages that named an attempt which is not, or no longer, at their sender.</summary>
    public long StaleReports { get; private set; }

    public void OnReport(TaskCommand.Report report)
    {
        var worker = report.Worker;
        for (var i = 0; i < report.Updates.Count; i++)
        {
            var update = report.Updates[i];
            if (FindAttempt(worker, update.TaskId, update.Attempt) is { } task)
                results.PublishUpdate(task, update);
        }

        for (var i = 0; i < report.Results.Count; i++)
        {
            var result = report.Results[i];
            if (FindAttempt(worker, result.TaskId, result.Attempt) is { } task)
                OnResult(task, result);
        }

        for (var i = 0; i < report.Returned.Count; i++)
        {
            var returned = report.Returned[i];
            if (FindAttempt(worker, returned.TaskId, returned.Attempt) is { } task)
                OnReturned(task);
        }
    }

    /// <summary>Gives a task to a worker that has room for it.</summary>
    /// <param name="task">The task.</param>
    /// <param name="worker">The worker.</param>
    /// <param name="isUrgent">It comes from another client than the many before it, so its message does not wait for more to carry.</param>
    public void Assign(TaskRecord task, WorkerNode worker, bool isUrgent)
    {
        task.Phase = TaskPhase.Assigned;
        task.Worker = worker;
        task.WorkerName = worker.Name;
        task.Slot = worker.TakeSlot();
        task.RunTicks = task.Handler.ExpectedTicksOr(context.Options.PrefetchTarget);
        context.Effects.Assignments.Add(new AttemptAssignment(worker, task, task.Attempt, task.Slot, task.Input, isUrgent));
        if (task.IsDurable)
            context.Changes.Record(task, new TaskAssigned(task.Id, task.Attempt, worker.Name));
        if (worker.LaneOf(task).Add(task, task.RunTicks, context.Now))
            MarkStarted(task);
    }

    /// <summary>An attempt's worker has died.</summary>
    /// <param name="task">The task, still on its lane.</param>
    /// <param name="started">Whether its code had started.</param>
    /// <param name="finished">Whether its code had ended.</param>
    /// <param name="postMortem">The known facts about the death; null if it was requested.</param>
    public void OnLost(TaskRecord task, bool started, bool finished, WorkerPostMortem? postMortem)
    {
        var worker = task.Worker!;
        // Nothing starts in its place there: the successor that the lane returns remains unstarted.
        worker.LaneOf(task).Remove(task, task.RunTicks, context.Now)?.Clear(TaskFlags.Running);
        Detach(task);
        if (started && task.StartedAt == 0)
            MarkStarted(task);
        var ran = task.RunTicks = started ? RanUntilNow(task) : 0;
        EndLost(task, started, finished, postMortem);
        if (started)
            RecordSpan(worker, task, context.Now, ran, AttemptOutcome.WorkerLost);
    }

    /// <summary>
    /// An attempt ends for its owner while its worker is to be killed: it leaves its lane, where its code may still run.
    /// </summary>
    public void Disown(TaskRecord task)
    {
        var worker = task.Worker!;
        worker.LaneOf(task).Remove(task, task.RunTicks, context.Now);
        if (task.Has(TaskFlags.HoldsPermit))
        {
            // Its code runs until the worker is dead; no other task of its concurrency key may start meanwhile.
            task.Clear(TaskFlags.HoldsPermit);
            (worker.HeldPermits ??= []).Add(task);
        }

        Detach(task);
        task.RunTicks = RanUntilNow(task);
        RecordEarlyEnd(worker, task);
    }

    /// <summary>An attempt ends for its owner, and nothing can stop its code: it occupies its lane until the code returns.</summary>
    public void Abandon(TaskRecord task)
    {
        task.Set(TaskFlags.Abandoned);
        // The lane subtracts the last estimate when the code finally returns.
        var ran = RanUntilNow(task);
        task.Worker!.LaneOf(task).Reestimate(task.RunTicks, ran);
        task.RunTicks = ran;
        RecordEarlyEnd(task.Worker, task);
    }

    /// <summary>Ends what cannot continue after the journal has failed.</summary>
    /// <param name="unsent">Attempts that have not been sent to their workers.</param>
    /// <param name="untold">Ended tasks whose ends have not been reported.</param>
    public void OnJournalFailed(IReadOnlyList<AttemptId> unsent, IReadOnlyList<TaskRecord> untold)
    {
        foreach (var task in untold)
        {
            task.EndState = TaskState.Failed;
            task.Output = null;
            task.GetSideData().Failure = context.Changes.Unwritten();
        }

        foreach (var attempt in unsent)
        {
            if (context.Tasks.Find(attempt.TaskId) is { Phase: TaskPhase.Assigned } task && task.Attempt == attempt.Attempt)
            {
                LeaveWorker(task);
                task.RunTicks = 0;
                context.Usage.CountUnstarted(task);
                transitions.End(task, TaskState.Failed, failure: context.Changes.Unwritten());
            }
        }

        var stopped = context.Tasks.NewestBefore(long.MaxValue)
            .Where(task => task.IsDurable && !task.HasEnded && task.Phase != TaskPhase.Assigned)
            .ToArray();
        foreach (var task in stopped)
        {
            // The end of one may have ended another.
            if (!task.HasEnded)
                transitions.EndUnstarted(task, EndIntent.None);
        }
    }

    private static AttemptOutcome OutcomeOf(TaskState state) => state switch
    {
        TaskState.Succeeded => AttemptOutcome.Succeeded,
        TaskState.Cancelled => AttemptOutcome.Cancelled,
        TaskState.TimedOut => AttemptOutcome.TimedOut,
        TaskState.WorkerLost => AttemptOutcome.WorkerLost,
        _ => AttemptOutcome.Failed,
    };

    private static CancelRung RungOf(TaskFailure? failure) =>
        failure is { Rung: not CancelRung.None } ? failure.Rung : CancelRung.Cooperative;

    private static TaskFailure LossOf(TaskRecord task, bool finished, WorkerPostMortem? postMortem)
    {
        var cause = postMortem?.Cause ?? "left";
        var message = finished
            ? $"{task.WorkerName} {cause} after the task had finished and before its result arrived"
            : $"{task.WorkerName} {cause} while it ran the task";
        if (postMortem is { KilledFor: { Length: > 0 } why })
            message += $": {why}";
        // If deaths are retried, the last allowed death indicates that the task itself is the cause.
        var poison = task.Policy.Retry is { RetryWorkerLost: true, MaxAttempts: > 1 } rule && task.Attempt >= rule.MaxAttempts;
        if (poison)
            message += $"; it was the last of {task.Attempt} attempts, so the task is quarantined";
        return new TaskFailure(poison ? FailureReason.Quarantined : FailureReason.WorkerLost, message) { PostMortem = postMortem };
    }

    private void EndLost(TaskRecord task, bool started, bool finished, WorkerPostMortem? postMortem)
    {
        var detail = postMortem is null ? null : new TaskFailure(FailureReason.WorkerLost, "") { PostMortem = postMortem };
        if (task.Intent is EndIntent.Cancel or EndIntent.RunTimeout or EndIntent.TotalTimeout)
        {
            transitions.EndByIntent(task, detail, started ? CancelRung.Killed : CancelRung.BeforeStart);
            return;
        }

        if (!started)
        {
            context.Usage.CountUnstarted(task);
            if (task.IsDurable)
                context.Changes.Record(task, new TaskReturned(task.Id));
            if (task.Intent == EndIntent.QueueTimeout)
                transitions.EndByIntent(task, null, CancelRung.BeforeStart);
            else
                transitions.MakeReady(task);
            return;
        }

        transitions.RetryOrEnd(task, LossOf(task, finished, postMortem));
    }

    /// <summary>The attempt, if it is at this worker; a message about any other changes nothing.</summary>
    private TaskRecord? FindAttempt(WorkerNode worker, long taskId, int attempt)
    {
        if (context.Tasks.Find(taskId) is { } task && task.Worker == worker && task.Attempt == attempt)
        {
            if (task.Phase == TaskPhase.Assigned)
                return task;
            if (task.Has(TaskFlags.Abandoned))
            {
                // It ended for its owner earlier; only its lane has to learn that the code has returned.
                LeaveWorker(task);
                task.Clear(TaskFlags.Abandoned);
                return null;
            }
        }

        StaleReports++;
        return null;
    }

    private void OnResult(TaskRecord task, in AttemptReport result)
    {
        var worker = task.Worker!;
        if (task.StartedAt == 0 && result.RunTicks > 0)
            MarkStarted(task);
        LeaveWorker(task);
        task.RunTicks = result.RunTicks;
        if (result.RunTicks > 0)
            task.Handler.RecordRun(result.RunTicks, context.Options.BriefBelow.Ticks);
        if (result.CpuTicks != 0 || result.AllocatedBytes != 0 || result.ReplyTicks != 0)
        {
            var sideData = task.GetSideData();
            sideData.CpuTicks = result.CpuTicks;
            sideData.AllocatedBytes = result.AllocatedBytes;
            sideData.ReplyTicks = result.ReplyTicks;
        }

        if (result.Failure is null)
            worker.Succeeded++;
        else
            worker.Failed++;

        Follow(task, result);
        if (result.RunTicks > 0)
            RecordSpan(worker, task, context.Now - result.ReplyTicks, result.RunTicks, AttemptOutcome.Failed);
    }

    /// <summary>What follows the report of an attempt: the task ends or is tried again.</summary>
    private void Follow(TaskRecord task, in AttemptReport result)
    {
        if (task.Intent is EndIntent.RunTimeout or EndIntent.TotalTimeout)
        {
            transitions.EndByIntent(task, result.Failure, RungOf(result.Failure));
        }
        else if (result.Failure is null)
        {
            transitions.End(task, TaskState.Succeeded, result.Output, result.OutputBytes);
        }
        else if (task.Intent == EndIntent.Cancel)
        {
            transitions.EndByIntent(task, result.Failure, RungOf(result.Failure));
        }
        else
        {
            transitions.RetryOrEnd(task, result.Failure);
        }
    }

    /// <param name="worker">The worker that it has left.</param>
    /// <param name="task">Its task, which has ended or is to be tried again.</param>
    /// <param name="end">When the attempt ended.</param>
    /// <param name="ran">How long it ran.</param>
    /// <param name="followed">How the attempt ended if it did not end its task.</param>
    private void RecordSpan(WorkerNode worker, TaskRecord task, long end, long ran, AttemptOutcome followed) =>
        spans.Record(worker, task, end, ran, task.HasEnded ? OutcomeOf(task.EndState) : followed, isRetried: !task.HasEnded);

    /// <summary>An attempt ends for its owner by what was intended for it, and not by a report.</summary>
    private void RecordEarlyEnd(WorkerNode worker, TaskRecord task)
    {
        var outcome = task.Intent == EndIntent.Cancel ? AttemptOutcome.Cancelled : AttemptOutcome.TimedOut;
        if (task.StartedAt != 0)
            spans.Record(worker, task, context.Now, task.RunTicks, outcome, isRetried: false);
    }

    private void OnReturned(TaskRecord task)
    {
        LeaveWorker(task);
        task.RunTicks = 0;
        context.Usage.CountUnstarted(task);
        context.Usage.CountReturn(task);
        if (task.IsDurable)
            context.Changes.Record(task, new TaskReturned(task.Id));
        if (task.Intent != EndIntent.None)
            transitions.EndByIntent(task, null, CancelRung.BeforeStart);
        else
            transitions.MakeReady(task);
    }

    private void MarkStarted(TaskRecord task)
    {
        task.StartedAt = Math.Max(context.Now, 1);
        context.Usage.CountStart(task);
        task.StartedSequence = results.Publish(task, TaskEventKind.Running);
        if (task.Intent is EndIntent.None or EndIntent.QueueTimeout)
            context.Deadlines.SetByPolicy(task);
    }

    /// <summary>Takes an attempt off its worker's lane; the attempt that starts in its place is marked as running.</summary>
    private void LeaveWorker(TaskRecord task)
    {
        var worker = task.Worker!;
        var next = worker.LaneOf(task).Remove(task, task.RunTicks, context.Now);
        worker.ReturnSlot(task.Slot);
        Detach(task);
        if (next is { StartedAt: 0 })
            MarkStarted(next);
    }

    private void Detach(TaskRecord task)
    {
        if (task.Has(TaskFlags.AwaitingWorkerKill))
            task.Worker!.AwaitingKill--;
        task.Worker = null;
        task.Slot = -1;
        task.Clear(TaskFlags.AwaitingWorkerKill | TaskFlags.Running | TaskFlags.ReturnRequested);
        waiting.ReturnOwnPermit(task);
    }

    /// <summary>
    /// How long an attempt has run whose worker will not report it any more. While it is assigned, its field holds the expected
    /// time.
    /// </summary>
    private long RanUntilNow(TaskRecord task) => task.StartedAt == 0 ? 0 : context.Now - task.StartedAt;
}
