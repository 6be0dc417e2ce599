using Orchestrator.Core.Journal;
using Orchestrator.Core.Scheduling;

namespace Orchestrator.Core.Tasks;

public sealed partial class TaskEngine
{
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
            _completion.EndByIntent(task, result.Failure, RungOf(result.Failure));
        }
        else if (result.Failure is null)
        {
            _completion.End(task, TaskState.Succeeded, result.Output, result.OutputBytes);
        }
        else if (task.Intent == EndIntent.Cancel)
        {
            _completion.EndByIntent(task, result.Failure, RungOf(result.Failure));
        }
        else
        {
            _completion.RetryOrEnd(task, result.Failure);
        }
    }

    private static CancelRung RungOf(TaskFailure? failure) =>
        failure is { Rung: not CancelRung.None } ? failure.Rung : CancelRung.Cooperative;

    private void OnReturned(TaskRecord task)
    {
        LeaveWorker(task);
        task.RunTicks = 0;
        _context.Usage.CountUnstarted(task);
        if (task.IsDurable)
            _context.Changes.Record(task, new TaskReturned(task.Id));
        if (task.Intent != EndIntent.None)
            _completion.EndByIntent(task, null, CancelRung.BeforeStart);
        else
            _completion.MakeReady(task);
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

    /// <summary>
    /// How long an attempt has run whose worker will not report it any more. While it is assigned, its field holds the expected
    /// time.
    /// </summary>
    private long RanUntilNow(TaskRecord task) => task.StartedAt == 0 ? 0 : _context.Now - task.StartedAt;
}
