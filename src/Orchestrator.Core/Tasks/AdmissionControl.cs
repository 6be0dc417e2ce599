using Orchestrator.Core.Scheduling;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tasks;

/// <summary>Which submissions are accepted, which join an earlier task by their request id, and why the others are refused.</summary>
internal sealed class AdmissionControl(
    TaskEngineContext context,
    WorkerPools pools,
    WaitingTasks waiting,
    ResultStore results,
    TaskTransitions transitions,
    DependencyTracker dependencies,
    WorkerTable workers)
{
    // Size of the placeholder of a handler that no worker offers, without its name.
    private const int UnknownHandlerBytes = 100;

    private readonly RequestIds _requestIds = new(
        context.Options.MaxRequestIds, context.Options.MaxRequestIdBytes, context.Options.RequestIdWindow.Ticks);

    /// <summary>Request ids that are remembered.</summary>
    public int RequestIdCount => _requestIds.Count;

    /// <summary>Whether new tasks are refused.</summary>
    public bool IsDraining { get; private set; }

    public void Drain() => IsDraining = true;

    public void OnSubmit(TaskCommand.Submit submit)
    {
        var tasks = submit.Tasks;
        if (submit.AllOrNone && RejectAny(tasks, submit.Client))
            return;
        for (var i = 0; i < tasks.Count; i++)
        {
            var submission = tasks[i];
            context.Effects.Submitted.Add(
                Join(submission, submit.Owner)
                ?? (Validate(submission, submit.Client, 0, 0) is { } refusal
                    ? new SubmitOutcome(null, refusal, submission.Tag)
                    : new SubmitOutcome(Accept(submission, submit.Owner, submit.Client), null, submission.Tag)));
        }
    }

    /// <summary>Restores the durable tasks of an earlier process; see <see cref="TaskEngine.Restore"/>.</summary>
    public void Restore(IEnumerable<RestoredTask> tasks, IEnumerable<ForgottenTask> forgotten)
    {
        var requests = forgotten.ToList();
        var interrupted = new List<(TaskRecord Task, RestoredTask From)>();
        foreach (var restored in tasks)
        {
            var task = Restore(restored);
            if (restored.Submission.RequestId is { Length: > 0 } id)
                requests.Add(new ForgottenTask(task.Id, id, restored.AcceptedAt));
            if (restored.End is { } end)
                results.Restore(task, end);
            else
                interrupted.Add((task, restored));
        }

        // If an id was reused after its window, it names the latest task.
        foreach (var (id, requestId, acceptedAt) in requests.OrderBy(request => request.TaskId))
            AddRequestId(requestId, id, acceptedAt);
        // All tasks are known now: the end of one may end those that depend on it.
        foreach (var (task, from) in interrupted)
            transitions.Resume(task, from);
    }

    /// <summary>Whether some task of an all-or-none batch is refused; then every outcome is a refusal or empty.</summary>
    private bool RejectAny(IReadOnlyList<TaskSubmission> tasks, ClientTaskQuota? client)
    {
        var any = false;
        var fresh = 0;
        long bytes = 0;
        for (var i = 0; i < tasks.Count; i++)
        {
            TaskFailure? refusal;
            if (FindByRequestId(tasks[i]) is { } known)
            {
                // It joins an existing task, so it needs no room.
                refusal = known.Refusal;
            }
            else
            {
                refusal = Validate(tasks[i], client, fresh++, bytes);
                bytes += tasks[i].KeptBytes;
            }

            any |= refusal is not null;
            context.Effects.Submitted.Add(new SubmitOutcome(null, refusal, tasks[i].Tag));
        }

        if (!any)
            context.Effects.Submitted.Clear();
        return any;
    }

    /// <summary>Why a task cannot be accepted beside <paramref name="alsoTasks"/> others, which is counted; null if it can.</summary>
    private TaskFailure? Validate(in TaskSubmission submission, ClientTaskQuota? client, int alsoTasks, long alsoBytes)
    {
        var refusal = FindRefusal(submission, client, alsoTasks, alsoBytes);
        if (refusal is not null)
            context.Usage.CountRefusal(refusal);
        return refusal;
    }

    private TaskFailure? FindRefusal(in TaskSubmission submission, ClientTaskQuota? client, int alsoTasks, long alsoBytes)
    {
        if (IsDraining)
            return new TaskFailure(FailureReason.Draining, "the coordinator is draining and takes no new tasks; submit elsewhere");
        if (context.Changes.CannotWrite(submission.Policy))
            return context.Changes.Unwritten();
        if (context.Usage.Unfinished + context.Usage.Retained + alsoTasks >= context.Options.MaxTasks)
        {
            return new TaskFailure(
                FailureReason.LimitExceeded,
                $"the coordinator holds {context.Options.MaxTasks:N0} tasks, its limit (tasks); retry when some have ended")
            {
                Limit = "tasks",
            };
        }

        if (context.Usage.PayloadBytes + alsoBytes + submission.InputBytes > context.Options.MaxPayloadBytes)
        {
            return new TaskFailure(
                FailureReason.LimitExceeded,
                $"the coordinator holds {context.Usage.PayloadBytes:N0} bytes of payloads; {submission.InputBytes:N0} more would pass "
                + $"its limit (payload_bytes_total) of {context.Options.MaxPayloadBytes:N0}")
            {
                Limit = "payload_bytes_total",
            };
        }

        if (!context.Usage.FitsNewWork(alsoBytes + submission.KeptBytes + (TaskUsage.RecordBytes * (alsoTasks + 1L))))
        {
            var memory = context.Usage.Budget;
            return new TaskFailure(
                FailureReason.LimitExceeded,
                $"the coordinator keeps {memory.Used:N0} bytes, {context.Usage.KeptBytes:N0} of them for tasks; "
                + $"{submission.InputBytes:N0} more would pass its memory budget (memory_kept): {memory.AdmissionLimit:N0} for new work, "
                + $"{memory.PerKindLimit:N0} of them for tasks; retry when some have ended")
            {
                Limit = "memory_kept",
            };
        }

        if (client is not null && ValidateClient(client, alsoTasks, alsoBytes + submission.KeptBytes) is { } full)
            return full;
        foreach (var id in submission.Policy.DependsOn)
        {
            if (context.Tasks.Find(id) is null)
                return new TaskFailure(FailureReason.NotFound, $"depends_on: {context.Tasks.WhyMissing(id)}");
        }

        return null;
    }

    /// <summary>Why one client may not use that much more; null if it may.</summary>
    private TaskFailure? ValidateClient(ClientTaskQuota client, int alsoTasks, long bytes)
    {
        if (client.Unfinished + alsoTasks >= context.Options.MaxTasksPerClient)
        {
            return new TaskFailure(
                FailureReason.LimitExceeded,
                $"client {client.Name} has {client.Unfinished:N0} unfinished tasks, the limit (tasks_per_client) is "
                + $"{context.Options.MaxTasksPerClient:N0}; retry when some have ended")
            {
                Subject = client.Name,
                Limit = "tasks_per_client",
            };
        }

        if (client.InputBytes + bytes > context.Options.MaxPayloadBytesPerClient)
        {
            return new TaskFailure(
                FailureReason.LimitExceeded,
                $"client {client.Name} has {client.InputBytes:N0} bytes of inputs of unfinished tasks; {bytes:N0} more would pass "
                + $"the limit (payload_bytes_per_client) of {context.Options.MaxPayloadBytesPerClient:N0}")
            {
                Subject = client.Name,
                Limit = "payload_bytes_per_client",
            };
        }

        var kept = client.InputBytes + bytes + (TaskUsage.RecordBytes * (client.Unfinished + alsoTasks + 1L));
        return kept <= context.Usage.Budget.PerClientLimit
            ? null
            : new TaskFailure(
                FailureReason.LimitExceeded,
                $"client {client.Name} has {client.Unfinished:N0} unfinished tasks with {client.InputBytes:N0} bytes of inputs; "
                + $"{bytes:N0} more would pass one client's part of the memory budget (memory_kept_per_client), "
                + $"{context.Usage.Budget.PerClientLimit:N0}; retry when some have ended")
            {
                Subject = client.Name,
                Limit = "memory_kept_per_client",
            };
    }

    /// <summary>A repeated request id joins the running task or gets its result.</summary>
    private SubmitOutcome? Join(in TaskSubmission submission, TaskOwner? owner)
    {
        var outcome = FindByRequestId(submission);
        if (owner is not null && outcome is { Task: { } task })
        {
            if (task.HasEnded)
                context.Effects.Deliveries.Add(new Delivery(owner, task, submission.Tag));
            else
                (task.GetSideData().Joiners ??= []).Add((owner, submission.Tag));
        }

        return outcome;
    }

    /// <summary>The task that the request id names, or an error if that task is no longer kept; null if it names none.</summary>
    private SubmitOutcome? FindByRequestId(in TaskSubmission submission)
    {
        if (submission.RequestId.Length == 0 || FindTask(submission.RequestId) is not { } taskId)
            return null;
        if (context.Tasks.Find(taskId) is not { } task)
        {
            return new SubmitOutcome(
                null,
                new TaskFailure(
                    FailureReason.AlreadyExists,
                    $"request_id '{submission.RequestId}' was used by task {taskId}, whose result is no longer kept"),
                submission.Tag);
        }

        return new SubmitOutcome(task, null, submission.Tag);
    }

    private long? FindTask(string requestId)
    {
        var taskId = _requestIds.Find(requestId, context.Now);
        context.Usage.RequestIdBytes = _requestIds.Bytes;
        return taskId;
    }

    private void AddRequestId(string requestId, long taskId, long acceptedAt)
    {
        _requestIds.Add(requestId, taskId, acceptedAt);
        context.Usage.RequestIdBytes = _requestIds.Bytes;
    }

    private TaskRecord Accept(in TaskSubmission submission, TaskOwner? owner, ClientTaskQuota? client)
    {
        var pool = pools[submission.Policy.Placement];
        var known = pool.Handlers.TryGetValue(submission.Handler, out var handler);
        handler ??= HandlerProfile.Unknown(submission.Handler);
        var task = new TaskRecord(context.Tasks.TakeId(), handler, submission.Policy, submission.Input, submission.InputBytes)
        {
            Tag = submission.Tag,
            AcceptedAt = context.Now,
            Client = client,
            ExtraBytes = submission.ExtraBytes + (known ? 0 : UnknownHandlerBytes + (sizeof(char) * submission.Handler.Length)),
        };
        context.Tasks.Add(task);
        context.Usage.AddUnfinished(task);
        task.AcceptedSequence = results.Publish(task, TaskEventKind.Queued);
        if (submission.RequestId.Length > 0)
        {
            task.GetSideData().RequestId = submission.RequestId;
            AddRequestId(submission.RequestId, task.Id, context.Now);
        }

        if (submission.TraceParent is { } trace)
            task.GetSideData().TraceParent = trace;
        if (task.IsDurable)
            context.Changes.Record(task, new TaskAccepted(task.Id, submission, context.Now));
        owner?.Link(task);
        if (!known && pool.HasCatalog)
        {
            workers.EndUnknownHandler(task);
        }
        else if (owner is { FailedFast: true })
        {
            var failure = new TaskFailure(FailureReason.Cancelled, "another task of this stream failed (fail_fast)")
            {
                Rung = CancelRung.BeforeStart,
            };
            transitions.End(task, TaskState.Cancelled, failure: failure);
        }
        else if (!known)
        {
            waiting.AddUnresolved(task);
            context.Deadlines.SetByPolicy(task);
        }
        else if (!dependencies.Block(task))
        {
            transitions.MakeReady(task);
        }

        return task;
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
        TaskTransitions.RestoreAttempts(task, restored.Attempts);
        if (submission.RequestId.Length > 0)
            task.GetSideData().RequestId = submission.RequestId;
        if (submission.TraceParent is { } trace)
            task.GetSideData().TraceParent = trace;
        context.Tasks.Add(task);
        task.AcceptedSequence = results.Publish(task, TaskEventKind.Queued);
        return task;
    }
}
