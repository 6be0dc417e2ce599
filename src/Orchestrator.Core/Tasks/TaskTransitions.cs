using Orchestrator.Core.Scheduling;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tasks;

/// <summary>
/// What follows when a task is at no worker, or not any more: it becomes ready, is tried again, or ends. Only here does a task get its end
/// state.
/// </summary>
internal sealed class TaskTransitions(TaskEngineContext context, WorkerPools pools, WaitingTasks waiting, ResultStore results)
{
    private const int MaxAttemptsKept = 100;

    private readonly Queue<TaskRecord> _endedWithDependents = new();

    /// <summary>Whether an attempt that fails for this reason is followed by another.</summary>
    public static bool MayRetry(TaskRecord task, FailureReason reason) =>
        task.Policy.Retry is { } rule
        && task.Attempt < rule.MaxAttempts
        && task.Intent is EndIntent.None or EndIntent.QueueTimeout or EndIntent.RunTimeout
        && (reason is FailureReason.HandlerFailed or FailureReason.RunTimeout
            || (reason == FailureReason.WorkerLost && rule.RetryWorkerLost));

    /// <summary>Restores the earlier attempts of a task.</summary>
    public static void RestoreAttempts(TaskRecord task, IReadOnlyList<AttemptSummary> attempts)
    {
        if (attempts.Count == 0)
            return;
        task.GetSideData().Attempts = [.. attempts.Take(1), .. attempts.Skip(1).TakeLast(MaxAttemptsKept - 1)];
        task.ExtraBytes += task.SideData!.Attempts!.Sum(attempt => attempt.Bytes);
    }

    /// <summary>The next ended task on which others depend; null if there is none.</summary>
    public TaskRecord? TakeEndedWithDependents() => _endedWithDependents.TryDequeue(out var task) ? task : null;

    /// <summary>Nothing keeps the task from running: it waits for a worker from now on.</summary>
    public void MakeReady(TaskRecord task)
    {
        if (context.Changes.CannotWrite(task.Policy))
        {
            End(task, TaskState.Failed, failure: context.Changes.Unwritten());
            return;
        }

        if (pools.Of(task) is var pool && pool.IsLost(task.Handler.Route!.Groups))
        {
            EndForLoss(task, pool.LossesOf(task.Handler.Route.Groups));
            return;
        }

        waiting.Enqueue(task);
        context.Deadlines.SetByPolicy(task);
    }

    /// <summary>A restart does not shorten the wait before another attempt.</summary>
    public void MakeReadyAfterBackoff(TaskRecord task)
    {
        if (task.SideData is { QueuedAt: not 0 } sideData && sideData.QueuedAt > context.Now)
        {
            task.Phase = TaskPhase.BackingOff;
            context.Deadlines.SetByPolicy(task);
        }
        else
        {
            MakeReady(task);
        }
    }

    /// <summary>An attempt has failed: tries again, or ends the task.</summary>
    public void RetryOrEnd(TaskRecord task, TaskFailure failure)
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

    /// <summary>Ends a task according to its intent; the attempt's own report is added as detail.</summary>
    public void EndByIntent(TaskRecord task, TaskFailure? detail, CancelRung rung = CancelRung.None)
    {
        var failure = FailureOf(task) with
        {
            Rung = rung,
            Type = detail?.Type ?? "",
            StackTrace = detail?.StackTrace ?? "",
            PostMortem = detail?.PostMortem,
        };
        if (detail is { Reason: FailureReason.None or FailureReason.HandlerFailed })
            failure = failure with { Message = $"{failure.Message}; {detail.Message}" };
        if (task.Intent == EndIntent.RunTimeout && !task.Has(TaskFlags.Abandoned) && TryRetry(task, failure))
            return;
        End(task, task.Intent == EndIntent.Cancel ? TaskState.Cancelled : TaskState.TimedOut, failure: failure);
    }

    /// <summary>Ends a task that is at no worker.</summary>
    public void EndUnstarted(TaskRecord task, EndIntent intent)
    {
        waiting.Remove(task);
        task.Intent = intent;
        EndByIntent(task, null, CancelRung.BeforeStart);
    }

    /// <summary>Ends a task that is in no queue and that no living worker group can run.</summary>
    public void EndForLoss(TaskRecord task, IEnumerable<GroupLoss> losses)
    {
        var causes = losses.ToArray();
        End(task, TaskState.Failed, failure: new TaskFailure(
            FailureReason.WorkerLost,
            $"no living worker group can run '{task.Handler.Name}': {string.Join("; ", causes.Select(loss => loss.Message))}")
        {
            PostMortem = causes.Select(loss => loss.PostMortem).FirstOrDefault(postMortem => postMortem is not null),
        });
    }

    /// <summary>Ends the tasks that waited for a permit which will not be granted.</summary>
    public void EndRefused(TaskCommand.PermitRefused refused)
    {
        foreach (var task in waiting.TakeRefused(refused.Queue))
            End(task, TaskState.Failed, failure: new TaskFailure(refused.Reason, refused.Message));
    }

    /// <summary>Gives a task that is in no queue and on no lane its end state.</summary>
    public void End(TaskRecord task, TaskState state, object? output = null, int outputBytes = 0, TaskFailure? failure = null)
    {
        context.Usage.RemoveUnfinished(task);
        task.Phase = TaskPhase.Ended;
        if (context.Changes.CannotWrite(task.Policy))
            (state, output, outputBytes, failure) = (TaskState.Failed, null, 0, context.Changes.Unwritten());
        if (outputBytes > 0 && !context.Usage.Fits(outputBytes))
        {
            var budget = context.Usage.Budget;
            (state, output, failure) = (TaskState.Failed, null, new TaskFailure(
                FailureReason.LimitExceeded,
                $"the task ran to its end, but the coordinator keeps {budget.Used:N0} bytes and has no room "
                + $"(memory_kept, {budget.Limit:N0}) for its result of {outputBytes:N0}"));
            outputBytes = 0;
        }

        task.EndState = state;
        task.EndedAt = context.Now;
        task.Input = null;
        task.Output = output;
        task.OutputBytes = outputBytes;
        if (failure is not null)
        {
            task.GetSideData().Failure = failure;
            task.ExtraBytes += failure.Bytes;
        }

        context.Deadlines.Remove(task);
        waiting.PassOnRatePermit(task);
        // An abandoned task returns its permit when its code returns.
        if (!task.Has(TaskFlags.Abandoned))
            waiting.ReturnOwnPermit(task);
        context.Usage.CountEnd(task);
        results.Complete(task);
        if (context.Effects.ListsEnds)
            context.Effects.Ended.Add(task);
        if (task.SideData?.Dependents is not null)
            _endedWithDependents.Enqueue(task);
    }

    /// <summary>Resumes a restored task that has not ended; its handler is looked up when the workers have announced theirs.</summary>
    public void Resume(TaskRecord task, RestoredTask from)
    {
        context.Usage.AddUnfinished(task);
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
            // As it was set when that attempt ended, except for the time that its report took.
            task.GetSideData().QueuedAt = last.StartedAt + last.RunTicks + retry.BackoffAfter(last.Number).Ticks;
        }

        waiting.AddUnresolved(task);
        context.Deadlines.SetByPolicy(task);
    }

    private static TaskFailure FailureOf(TaskRecord task) => task.Intent switch
    {
        EndIntent.QueueTimeout => new TaskFailure(
            FailureReason.QueueTimeout, $"it did not start within its queue_timeout of {Text(task.Policy.QueueTimeout)}"),
        EndIntent.RunTimeout => new TaskFailure(
            FailureReason.RunTimeout, $"it ran longer than its run_timeout of {Text(task.Policy.RunTimeout)}"),
        EndIntent.TotalTimeout => new TaskFailure(
            FailureReason.TotalTimeout, $"it did not end within its total_timeout of {Text(task.Policy.TotalTimeout)}"),
        _ => new TaskFailure(FailureReason.Cancelled, "its cancellation was asked for"),
    };

    private static string Text(TimeSpan? timeout) => FormattableString.Invariant($"{timeout?.TotalSeconds:0.###} s");

    /// <summary>
    /// Starts another attempt, if the policy allows one: after an exception of the handler and after a run timeout; after the death of the
    /// worker only if requested, since the attempt may have had effects.
    /// </summary>
    private bool TryRetry(TaskRecord task, TaskFailure failure)
    {
        if (!MayRetry(task, failure.Reason))
            return false;
        var sideData = task.GetSideData();
        var summary = new AttemptSummary(task.Attempt, task.WorkerName, task.StartedAt, task.RunTicks, failure);
        KeepAttempt(task, sideData.Attempts ??= [], summary);
        if (task.IsDurable)
            context.Changes.Record(task, new TaskRetried(task.Id, summary));
        results.KeepStart(task);
        context.Usage.CountUnstarted(task);
        context.Usage.CountRetry(task);
        var wait = task.Policy.Retry!.BackoffAfter(task.Attempt);
        task.Attempt++;
        task.Intent = EndIntent.None;
        task.Phase = TaskPhase.BackingOff;
        sideData.QueuedAt = context.Now + wait.Ticks;
        results.PublishRequeued(task);
        context.Deadlines.SetByPolicy(task);
        return true;
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
        context.Usage.Grow(task, bytes);
    }
}
