using Orchestrator.Core.Scheduling;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tasks;

/// <summary>
/// Cancels and timeouts. Queued tasks end at once; running ones get their cooperative token, then a grace period, then their worker is
/// condemned.
/// </summary>
internal sealed class CancellationEscalation(
    TaskEngineContext context, Rebalancer rebalancer, AttemptLifecycle attempts, TaskTransitions transitions, WorkerTable workers)
{
    private readonly List<WorkerNode> _condemned = [];

    /// <summary>Unfinished durable tasks that were left to the next process when all others were cancelled.</summary>
    public int LeftToNextProcess { get; private set; }

    /// <summary>When the first condemned worker is to be killed, whatever it runs; <see cref="long.MaxValue"/> if there is none.</summary>
    public long NextKill
    {
        get
        {
            var next = long.MaxValue;
            foreach (var worker in _condemned)
            {
                if (!worker.KillOrdered)
                    next = Math.Min(next, worker.CondemnedUntil);
            }

            return next;
        }
    }

    public void OnCancel(TaskCommand.Cancel cancel)
    {
        foreach (var id in cancel.TaskIds)
        {
            if (context.Tasks.Find(id) is { HasEnded: false } task)
            {
                context.Effects.Cancelled.Add(id);
                Cancel(task, cancel.Force);
            }
        }
    }

    public void OnCancelTags(TaskCommand.CancelTags cancel)
    {
        foreach (var task in TasksOf(cancel.Owner))
        {
            if (cancel.Tags.Contains(task.Tag))
            {
                context.Effects.Cancelled.Add(task.Id);
                Cancel(task, force: false);
            }
        }
    }

    public void OnAbandon(TaskOwner owner)
    {
        owner.IsAbandoned = true;
        foreach (var task in TasksOf(owner))
        {
            owner.Unlink(task);
            task.Owner = null;
            // A caller that joined by request id still waits for it.
            var joined = task.SideData?.Joiners?.Exists(joiner => !joiner.Owner.IsAbandoned) ?? false;
            if (!owner.DetachOnDisconnect && !joined)
                Cancel(task, force: false);
        }
    }

    public void OnCancelAll()
    {
        foreach (var task in context.Tasks.NewestBefore(long.MaxValue))
        {
            if (task.HasEnded)
                continue;
            // The end of this process does not cancel tasks that the next one will resume.
            if (task.IsDurable && (task.Phase != TaskPhase.Assigned || task.Policy.Retry is { RetryWorkerLost: true }))
                LeftToNextProcess++;
            else
                Cancel(task, force: false);
        }
    }

    public void CancelTasksOf(TaskOwner owner)
    {
        foreach (var task in TasksOf(owner))
            Cancel(task, force: false);
    }

    /// <summary>The deadline of an unfinished task has passed.</summary>
    public void OnDeadline(TaskRecord task)
    {
        if (task.Phase == TaskPhase.Assigned)
            OnAssignedDeadline(task);
        else if (TaskDeadlines.TotalExpired(task, context.Now))
            transitions.EndUnstarted(task, EndIntent.TotalTimeout);
        else if (task.Phase == TaskPhase.BackingOff)
            transitions.MakeReady(task);
        else
            transitions.EndUnstarted(task, EndIntent.QueueTimeout);
    }

    public void Condemn(WorkerNode worker)
    {
        if (worker.IsCondemned || worker.HasLeft)
            return;
        worker.IsCondemned = true;
        worker.CondemnedUntil = context.Now + context.Options.CondemnedLifetime.Ticks;
        _condemned.Add(worker);
        context.Effects.Orders.Add(new WorkerOrder(worker, WorkerOrderKind.Condemn));
        workers.Close(worker);
    }

    /// <summary>Kills a condemned worker once it runs no uninvolved attempts any more, or when its time is over.</summary>
    public void KillCondemnedWorkers()
    {
        foreach (var worker in _condemned)
        {
            if (worker.KillOrdered || (worker.Outstanding > worker.AwaitingKill && context.Now < worker.CondemnedUntil))
                continue;
            worker.KillOrdered = true;
            context.Effects.Orders.Add(new WorkerOrder(worker, WorkerOrderKind.Kill));
        }
    }

    /// <summary>A worker has left, condemned or not.</summary>
    public void Forget(WorkerNode worker) => _condemned.Remove(worker);

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

    private void Cancel(TaskRecord task, bool force)
    {
        if (task.HasEnded)
            return;
        if (task.Phase != TaskPhase.Assigned)
        {
            transitions.EndUnstarted(task, EndIntent.Cancel);
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
            context.Changes.Record(task, new TaskCancelRequested(task.Id));
        if (!signalled)
            BeginEnding(task, EndIntent.Cancel);
        else if (task.Intent == EndIntent.RunTimeout && TaskTransitions.MayRetry(task, FailureReason.RunTimeout))
            // The earlier intent would only have ended the attempt.
            task.Intent = EndIntent.Cancel;

        if (force && task.StartedAt != 0)
            Escalate(task);
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
        else if (TaskDeadlines.TotalExpired(task, context.Now))
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
            rebalancer.RequestBack(task);
            context.Deadlines.SetByPolicy(task);
        }
    }

    private void BeginEnding(TaskRecord task, EndIntent intent)
    {
        task.Intent = intent;
        context.Effects.Signals.Add(new AttemptSignal(task.Worker!, task.Id, task.Attempt, SignalKind.Cancel));
        context.Deadlines.Set(task, context.Now + (task.Policy.CancelGrace ?? context.Options.CancelGrace).Ticks);
    }

    /// <summary>The grace period is over, or there was none: the caller has its answer now, the worker is condemned.</summary>
    private void Escalate(TaskRecord task)
    {
        var worker = task.Worker!;
        if (!worker.CanBeKilled)
        {
            attempts.Abandon(task);
            transitions.EndByIntent(task, new TaskFailure(
                FailureReason.None,
                "the handler ignores its cancellation and runs in the coordinator's own process, where nothing can stop it; "
                + "its lane is occupied until it returns"));
            return;
        }

        if (task.Intent == EndIntent.RunTimeout && TaskTransitions.MayRetry(task, FailureReason.RunTimeout))
        {
            // Another attempt may start only when this one has certainly ended: it stays here until its worker is dead.
            if (!task.Has(TaskFlags.AwaitingWorkerKill))
            {
                task.Set(TaskFlags.AwaitingWorkerKill);
                worker.AwaitingKill++;
            }

            context.Deadlines.Set(task, task.Policy.TotalTimeout is { } total ? task.AcceptedAt + total.Ticks : long.MaxValue);
            Condemn(worker);
            return;
        }

        EndOnCondemned(task);
    }

    private void EndOnCondemned(TaskRecord task)
    {
        // Condemned first: once the culprit is off the lane, the next attempt there counts as running and would not be requested back.
        Condemn(task.Worker!);
        attempts.Disown(task);
        transitions.EndByIntent(task, null, CancelRung.Killed);
    }
}
