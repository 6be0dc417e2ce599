using Orchestrator.Core.Journal;
using Orchestrator.Core.Scheduling;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tasks;

// The cancellation escalation: queued tasks end at once; running ones get their cooperative token, then a grace period, then their worker
// is condemned.
public sealed partial class TaskEngine
{
    private void OnCancel(TaskCommand.Cancel cancel)
    {
        foreach (var id in cancel.TaskIds)
        {
            if (_context.Tasks.Find(id) is { HasEnded: false } task)
            {
                _context.Effects.Cancelled.Add(id);
                CancelTask(task, cancel.Force);
            }
        }
    }

    private void OnCancelTags(TaskCommand.CancelTags cancel)
    {
        foreach (var task in TasksOf(cancel.Owner))
        {
            if (cancel.Tags.Contains(task.Tag))
            {
                _context.Effects.Cancelled.Add(task.Id);
                CancelTask(task, force: false);
            }
        }
    }

    private void OnAbandon(TaskOwner owner)
    {
        owner.Gone = true;
        foreach (var task in TasksOf(owner))
        {
            owner.Unlink(task);
            task.Owner = null;
            // A caller that joined by request id still waits for it.
            var joined = task.Extras?.Joiners?.Exists(joiner => !joiner.Owner.Gone) ?? false;
            if (!owner.DetachOnDisconnect && !joined)
                CancelTask(task, force: false);
        }
    }

    private void OnCancelAll()
    {
        foreach (var task in _context.Tasks.NewestBefore(long.MaxValue))
        {
            if (task.HasEnded)
                continue;
            // The end of this process does not cancel tasks that the next one will resume.
            if (task.IsDurable && (task.Phase != TaskPhase.Assigned || task.Policy.Retry is { RetryWorkerLost: true }))
                _left++;
            else
                CancelTask(task, force: false);
        }
    }

    private void CancelTasksOf(TaskOwner owner)
    {
        foreach (var task in TasksOf(owner))
            CancelTask(task, force: false);
    }

    /// <summary>A copy, since cancelling the tasks changes the owner's list.</summary>
    private static List<TaskRecord> TasksOf(TaskOwner owner)
    {
        var tasks = new List<TaskRecord>(owner.Unfinished);
        for (var task = owner.FirstTask; task is not null; task = task.OwnerNext)
            tasks.Add(task);
        // The list is newest first; cancels are sent in the order of submission.
        tasks.Reverse();
        return tasks;
    }

    private void CancelTask(TaskRecord task, bool force)
    {
        if (task.HasEnded)
            return;
        if (task.Phase != TaskPhase.Assigned)
        {
            _completion.EndUnstarted(task, EndIntent.Cancel);
            return;
        }

        if (task.Has(TaskFlags.AwaitingWorkerKill))
        {
            task.Intent = EndIntent.Cancel;
            EndOnCondemned(task);
            return;
        }

        var signalled = task.Intent is EndIntent.Cancel or EndIntent.RunTimeout or EndIntent.TotalTimeout;
        // A timeout that has already been decided stays the reason; a second cancel changes nothing but, with force, its grace period.
        if (task.IsDurable && task.Intent != EndIntent.Cancel)
            _context.Changes.Record(task, new TaskCancelRequested(task.Id));
        if (!signalled)
            BeginEnding(task, EndIntent.Cancel);
        else if (task.Intent == EndIntent.RunTimeout && TaskCompletion.MayRetry(task, FailureReason.RunTimeout))
            // The earlier intent would only have ended the attempt.
            task.Intent = EndIntent.Cancel;

        if (force && task.StartedAt != 0)
            Escalate(task);
    }

    private void OnDeadline(TaskRecord task)
    {
        switch (task.Phase)
        {
            case TaskPhase.Ended:
                _results.Expire(task);
                break;
            case TaskPhase.Assigned:
                OnAssignedDeadline(task);
                break;
            case TaskPhase.BackingOff when !TaskDeadlines.TotalExpired(task, _context.Now):
                _completion.MakeReady(task);
                break;
            default:
                _completion.EndUnstarted(task, TaskDeadlines.TotalExpired(task, _context.Now) ? EndIntent.TotalTimeout : EndIntent.QueueTimeout);
                break;
        }
    }

    private void OnAssignedDeadline(TaskRecord task)
    {
        if (task.Has(TaskFlags.AwaitingWorkerKill))
        {
            task.Intent = EndIntent.TotalTimeout;
            EndOnCondemned(task);
        }
        else if (task.Intent is EndIntent.Cancel or EndIntent.RunTimeout or EndIntent.TotalTimeout)
        {
            Escalate(task);
        }
        else if (TaskDeadlines.TotalExpired(task, _context.Now))
        {
            BeginEnding(task, EndIntent.TotalTimeout);
        }
        else if (task.StartedAt != 0)
        {
            BeginEnding(task, EndIntent.RunTimeout);
        }
        else
        {
            // It was sent ahead, and only its worker knows whether it has just started: request it back; if it has started, it has met its
            // queue timeout.
            task.Intent = EndIntent.QueueTimeout;
            _rebalancer.RequestBack(task);
            _context.Deadlines.SetByPolicy(task);
        }
    }

    private void BeginEnding(TaskRecord task, EndIntent intent)
    {
        task.Intent = intent;
        _context.Effects.Signals.Add(new AttemptSignal(task.Worker!, task.Id, task.Attempt, SignalKind.Cancel));
        _context.Deadlines.Set(task, _context.Now + (task.Policy.CancelGrace ?? _context.Options.CancelGrace).Ticks);
    }

    /// <summary>The grace period is over, or there was none: the caller has its answer now, the worker is condemned.</summary>
    private void Escalate(TaskRecord task)
    {
        var worker = task.Worker!;
        if (!worker.Pool.CanKill)
        {
            _attempts.Abandon(task);
            _completion.EndByIntent(task, new TaskFailure(
                FailureReason.None, "the handler ignores its cancellation and runs in the coordinator's own process, where nothing can stop it; its lane is occupied until it returns"));
            return;
        }

        if (task.Intent == EndIntent.RunTimeout && TaskCompletion.MayRetry(task, FailureReason.RunTimeout))
        {
            // Another attempt may start only when this one has certainly ended: it stays here until its worker is dead.
            if (!task.Has(TaskFlags.AwaitingWorkerKill))
            {
                task.Set(TaskFlags.AwaitingWorkerKill);
                worker.Culprits++;
            }

            _context.Deadlines.Set(task, task.Policy.TotalTimeout is { } total ? task.AcceptedAt + total.Ticks : long.MaxValue);
            CondemnWorker(worker);
            return;
        }

        EndOnCondemned(task);
    }

    private void EndOnCondemned(TaskRecord task)
    {
        // Condemned first: once the culprit is off the lane, the next attempt there counts as running and would not be requested back.
        CondemnWorker(task.Worker!);
        _attempts.Disown(task);
        _completion.EndByIntent(task, null, CancelRung.Killed);
    }

    private void CondemnWorker(WorkerNode worker)
    {
        if (worker.IsCondemned || worker.HasLeft)
            return;
        worker.IsCondemned = true;
        worker.CondemnedUntil = _context.Now + _context.Options.CondemnedLifetime.Ticks;
        _condemned.Add(worker);
        _context.Effects.Orders.Add(new WorkerOrder(worker, WorkerOrderKind.Condemn));
        _workers.Close(worker);
    }

    /// <summary>Kills a condemned worker once it runs no uninvolved attempts any more, or when its time is over.</summary>
    private void KillCondemnedWorkers()
    {
        foreach (var worker in _condemned)
        {
            if (worker.KillOrdered || (worker.Outstanding > worker.Culprits && _context.Now < worker.CondemnedUntil))
                continue;
            worker.KillOrdered = true;
            _context.Effects.Orders.Add(new WorkerOrder(worker, WorkerOrderKind.Kill));
        }
    }
}
