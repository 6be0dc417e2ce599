using Orchestrator.Core.Journal;
using Orchestrator.Core.Scheduling;

namespace Orchestrator.Core.Tasks;

public sealed partial class TaskEngine
{
    private const int MaxAttemptsKept = 100;

    /// <summary>Messages that named an attempt which is not, or no longer, at their sender.</summary>
    public long StaleReports { get; private set; }

    private void OnReport(TaskCommand.Report report)
    {
        var worker = report.Worker;
        for (var i = 0; i < report.Updates.Count; i++)
        {
            var update = report.Updates[i];
            if (FindAttempt(worker, update.TaskId, update.Attempt) is { } task)
                _results.PublishUpdate(task, update);
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

    /// <summary>The attempt, if it is at this worker; a message about any other changes nothing.</summary>
    private TaskRecord? FindAttempt(WorkerNode worker, long taskId, int attempt)
    {
        if (_context.Tasks.Find(taskId) is { } task && task.Worker == worker && task.Attempt == attempt)
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
            task.Handler.RecordRun(result.RunTicks);
        if (result.CpuTicks != 0 || result.AllocatedBytes != 0 || result.ReplyTicks != 0)
        {
            var extras = task.GetExtras();
            extras.CpuTicks = result.CpuTicks;
            extras.AllocatedBytes = result.AllocatedBytes;
            extras.ReplyTicks = result.ReplyTicks;
        }

        if (result.Failure is null)
            worker.Succeeded++;
        else
            worker.Failed++;

        if (task.Intent is EndIntent.RunTimeout or EndIntent.TotalTimeout)
        {
            EndByIntent(task, result.Failure, RungOf(result.Failure));
        }
        else if (result.Failure is null)
        {
            End(task, TaskState.Succeeded, result.Output, result.OutputBytes);
        }
        else if (task.Intent == EndIntent.Cancel)
        {
            EndByIntent(task, result.Failure, RungOf(result.Failure));
        }
        else
        {
            OnFailure(task, result.Failure);
        }
    }

    private static CancelRung RungOf(TaskFailure? failure) =>
        failure is { Rung: not CancelRung.None } ? failure.Rung : CancelRung.Cooperative;

    private void OnFailure(TaskRecord task, TaskFailure failure)
    {
        if (TryRetry(task, failure))
            return;
        var state = failure.Reason switch
        {
            FailureReason.RunTimeout => TaskState.TimedOut,
            FailureReason.Cancelled => TaskState.Cancelled,
            FailureReason.WorkerLost or FailureReason.Quarantined => TaskState.WorkerLost,
            _ => TaskState.Failed,
        };
        End(task, state, failure: failure);
    }

    /// <summary>Keeps the first attempt and the last ones: a task that is retried without limit must not grow without limit.</summary>
    private void KeepAttempt(TaskRecord task, List<AttemptSummary> attempts, AttemptSummary summary)
    {
        var bytes = summary.Bytes;
        if (attempts.Count == MaxAttemptsKept)
        {
            bytes -= attempts[1].Bytes;
            attempts.RemoveAt(1);
        }

        attempts.Add(summary);
        _context.Usage.Grow(task, bytes);
    }

    /// <summary>
    /// Starts another attempt, if the policy allows one: after an exception of the handler and after a run timeout; after the death of the
    /// worker only if requested, since the attempt may have had effects.
    /// </summary>
    private bool TryRetry(TaskRecord task, TaskFailure failure)
    {
        if (!MayRetry(task, failure.Reason))
            return false;
        var extras = task.GetExtras();
        var summary = new AttemptSummary(task.Attempt, task.WorkerName, task.StartedAt, task.RunTicks, failure);
        KeepAttempt(task, extras.Attempts ??= [], summary);
        if (task.IsDurable)
            _context.Changes.Record(task, new TaskRetried(task.Id, summary));
        _results.KeepStart(task);
        _context.Usage.CountUnstarted(task);
        _context.Usage.CountRetry(task);
        var wait = task.Policy.Retry!.BackoffAfter(task.Attempt);
        task.Attempt++;
        task.Intent = EndIntent.None;
        task.Phase = TaskPhase.BackingOff;
        extras.QueuedAt = _context.Now + wait.Ticks;
        _results.PublishRequeued(task);
        _context.Deadlines.SetByPolicy(task);
        return true;
    }

    private static bool MayRetry(TaskRecord task, FailureReason reason) =>
        task.Policy.Retry is { } rule
        && task.Attempt < rule.MaxAttempts
        && task.Intent is EndIntent.None or EndIntent.QueueTimeout or EndIntent.RunTimeout
        && (reason is FailureReason.HandlerFailed or FailureReason.RunTimeout || (reason == FailureReason.WorkerLost && rule.RetryWorkerLost));

    private void OnReturned(TaskRecord task)
    {
        LeaveWorker(task);
        task.RunTicks = 0;
        _context.Usage.CountUnstarted(task);
        if (task.IsDurable)
            _context.Changes.Record(task, new TaskReturned(task.Id));
        if (task.Intent != EndIntent.None)
            EndByIntent(task, null, CancelRung.BeforeStart);
        else
            MakeReady(task);
    }

    private void Assign(TaskRecord task, WorkerNode worker)
    {
        task.Phase = TaskPhase.Assigned;
        task.Worker = worker;
        task.WorkerName = worker.Name;
        task.Slot = worker.TakeSlot();
        task.RunTicks = task.Handler.ExpectedTicksOr(_context.Options.PrefetchTarget);
        _context.Effects.Assignments.Add(new AttemptAssignment(worker, task, task.Attempt, task.Slot, task.Input));
        if (task.IsDurable)
            _context.Changes.Record(task, new TaskAssigned(task.Id, task.Attempt, worker.Name));
        if (task.Worker!.LaneOf(task).Add(task, task.RunTicks))
            MarkStarted(task);
    }

    private void MarkStarted(TaskRecord task)
    {
        task.StartedAt = Math.Max(_context.Now, 1);
        _context.Usage.CountStart(task);
        task.StartedSequence = _results.Publish(task, TaskEventKind.Running);
        if (task.Intent is EndIntent.None or EndIntent.QueueTimeout)
            _context.Deadlines.SetByPolicy(task);
    }

    /// <summary>Takes an attempt off its worker's lane; the attempt that starts in its place is marked as running.</summary>
    private void LeaveWorker(TaskRecord task)
    {
        var worker = task.Worker!;
        var next = task.Worker!.LaneOf(task).Remove(task, task.RunTicks);
        worker.ReturnSlot(task.Slot);
        Detach(task);
        if (next is { StartedAt: 0 })
            MarkStarted(next);
    }

    private void Detach(TaskRecord task)
    {
        if (task.Has(TaskFlags.AwaitingWorkerKill))
            task.Worker!.Culprits--;
        task.Worker = null;
        task.Slot = -1;
        task.Clear(TaskFlags.AwaitingWorkerKill | TaskFlags.Running | TaskFlags.ReturnRequested);
        _waiting.ReturnOwnPermit(task);
    }

    private void OnPermitRefused(TaskCommand.PermitRefused refused)
    {
        foreach (var task in _waiting.TakeRefused(refused.Gate))
            End(task, TaskState.Failed, failure: new TaskFailure(refused.Reason, refused.Message));
    }

    private void End(TaskRecord task, TaskState state, object? output = null, int outputBytes = 0, TaskFailure? failure = null)
    {
        _context.Usage.RemoveUnfinished(task);
        task.Phase = TaskPhase.Ended;
        if (_context.Changes.CannotWrite(task.Policy))
            (state, output, outputBytes, failure) = (TaskState.Failed, null, 0, _context.Changes.Unwritten());
        if (outputBytes > 0 && !_context.Usage.Fits(outputBytes))
        {
            (state, output, failure) = (TaskState.Failed, null, new TaskFailure(
                FailureReason.LimitExceeded,
                $"the task ran to its end, but the coordinator keeps {_context.Usage.Budget.Used:N0} bytes and has no room (memory_kept, {_context.Usage.Budget.Limit:N0}) for its result of {outputBytes:N0}"));
            outputBytes = 0;
        }

        task.EndState = state;
        task.EndedAt = _context.Now;
        task.Input = null;
        task.Output = output;
        task.OutputBytes = outputBytes;
        if (failure is not null)
        {
            task.GetExtras().Failure = failure;
            task.ExtraBytes += failure.Bytes;
        }

        _context.Deadlines.Remove(task);
        _waiting.PassOnRatePermit(task);
        // An abandoned task returns its permit when its code returns.
        if (!task.Has(TaskFlags.Abandoned))
            _waiting.ReturnOwnPermit(task);
        _context.Usage.CountEnd(task);
        _results.Complete(task);
        if (task.Extras?.Dependents is not null)
            _endedWithDependents.Enqueue(task);
    }

    /// <summary>
    /// How long an attempt has run whose worker will not report it any more. While it is assigned, its field holds the expected
    /// time.
    /// </summary>
    private long RanUntilNow(TaskRecord task) => task.StartedAt == 0 ? 0 : _context.Now - task.StartedAt;
}
