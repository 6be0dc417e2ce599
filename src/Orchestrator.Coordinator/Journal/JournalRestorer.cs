using Google.Protobuf;
using Orchestrator.Coordinator.Journal.Wire;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Queues;
using Orchestrator.Core.State;
using Orchestrator.Core.TaskModel;
using KeptItem = Orchestrator.Coordinator.Journal.Wire.KeptItem;
using RequestAnswered = Orchestrator.Coordinator.Journal.Wire.RequestAnswered;
using TaskEnded = Orchestrator.Coordinator.Journal.Wire.TaskEnded;

namespace Orchestrator.Coordinator.Journal;

/// <summary>Restores a journal's state into the engines.</summary>
internal sealed class JournalRestorer(JournalState restored, JournalClock times)
{
    private readonly TaskPolicyMapper _policies = new();

    public Core.Objects.RestoredObjects ToObjects()
    {
        var objects = new Core.Objects.RestoredObjects { StateFloor = restored.StateFloor };
        objects.Queues.AddRange(All(restored.Queues.Values, ToQueue));
        objects.States.AddRange(All(restored.States.Values, ToState));
        objects.Requests.AddRange(All(restored.Requests, ToRequest));
        return objects;
    }

    public IEnumerable<Core.TaskModel.RestoredTask> ToTasks() => All(restored.Tasks.Values, ToTask);

    public IEnumerable<Core.TaskModel.ForgottenTask> ToForgottenTasks() => restored.ForgottenTasks.Select(request =>
        new Core.TaskModel.ForgottenTask((long)request.TaskId, request.RequestId, times.ToEngine(request.AcceptedAt)));

    /// <summary>A record that is intact but that an engine cannot restore refuses the start like any other damage.</summary>
    private static IEnumerable<TTo> All<TFrom, TTo>(IEnumerable<TFrom> items, Func<TFrom, TTo> convert)
    {
        foreach (var item in items)
        {
            TTo converted;
            try
            {
                converted = convert(item);
            }
            catch (Exception exception) when (exception is RequestValidationException or InvalidProtocolBufferException or ArgumentException
                or NullReferenceException
                                                  or InvalidOperationException or OverflowException)
            {
                throw new JournalException(
                    $"what the journal holds cannot be taken up ({exception.Message.TrimEnd('.')}): it is damaged, or of a later version",
                    exception);
            }

            yield return converted;
        }
    }

    private Core.Queues.RestoredQueue ToQueue(JournaledQueue queue)
    {
        var counts = queue.Counts;
        return new Core.Queues.RestoredQueue(
            QueueOperations.ToSpec(queue.Spec),
            new Core.Queues.QueueCounts(
                (long)counts.LastSequence, (long)counts.Unfinished, (long)counts.DeadLettered, (long)counts.Dropped, counts.ShutDown,
                counts.Emptied),
            [.. queue.Items.Select(ToItem)])
        {
            Owner = queue.Owner,
        };
    }

    private Core.Queues.KeptItem ToItem(KeptItem item)
    {
        object body = item.Body ?? new V1.Payload();
        if (item.DeadLetter is { } letter)
            body = new DeadLetter(body, letter.Queue, letter.Sequence, letter.Deliveries, letter.Reason);
        return new Core.Queues.KeptItem(
            body, item.Bytes, (long)item.Sequence, item.Priority, times.ToEngine(item.PutAt), item.Deliveries, item.HasReturned)
        {
            DelayedUntil = times.ToEngineOrNone(item.DelayedUntil),
        };
    }

    private Core.State.RestoredState ToState(JournaledState state)
    {
        IReadOnlyList<Number> numbers = state.Number is { } number
            ? [NumberMapper.ToNumber(number, "number")]
            : [.. state.Elements.Select(
                bits => state.IsReal == true ? Number.Of(BitConverter.UInt64BitsToDouble(bits)) : Number.Of((long)bits))];
        return new Core.State.RestoredState(
            StateOperations.ToKind(state.Begun.Kind), state.Begun.Name, (Core.Common.Durability)(int)state.Begun.Durability, state.Version)
        {
            Owner = state.Begun.Owner,
            Entries = [.. state.Entries.Select(
                entry => new Core.State.RestoredEntry(entry.Key, ToContent(entry.Value), entry.Version, times.ToEngine(entry.Until)))],
            Values = [.. state.Values.Select(ToContent)],
            Numbers = numbers,
            IsReal = state.IsReal,
        };
    }

    private static QueueItem ToAnswered(V1.QueueItem item)
    {
        var content = ToContent(item.Body ?? new V1.Payload());
        var body = item.DeadLetter is { } letter
            ? new DeadLetter(content.Body, letter.Queue, letter.Sequence, letter.Deliveries, letter.Reason) : content.Body;
        return QueueItem.TakenBefore(
            new Core.Queues.KeptItem(body, content.Bytes, (long)item.Sequence, item.Priority, 0, item.Delivery, HasReturned: true));
    }

    private Core.Kernel.RequestAnswered ToRequest(RequestAnswered request)
    {
        (Type Command, ObjectOutcome Outcome) answer = request.AnswerCase switch
        {
            RequestAnswered.AnswerOneofCase.Put =>
                (typeof(PutItems), new PutOutcome((WaitStatus)(int)request.Put.Status, request.Put.Accepted)),
            RequestAnswered.AnswerOneofCase.MarkDone => (typeof(MarkItemsDone), new MarkDoneOutcome(request.MarkDone.UnfinishedItems)),
            RequestAnswered.AnswerOneofCase.Dict => (typeof(UpdateDict), new UpdateDictOutcome(
                request.Dict.Version, [.. request.Dict.Entries.Select(
                    entry => new DictValue(entry.Key, entry.Value is { } value ? ToContent(value) : null, entry.Version))])),
            RequestAnswered.AnswerOneofCase.List => (typeof(UpdateList), new UpdateListOutcome(
                request.List.Version, request.List.Count, [.. request.List.Popped.Select(ToContent)])),
            RequestAnswered.AnswerOneofCase.Value => (typeof(UpdateValue), new UpdateValueOutcome(
                request.Value.Version, ToNumber(request.Value.Before), ToNumber(request.Value.After), request.Value.Changed)),
            RequestAnswered.AnswerOneofCase.Array => (typeof(UpdateArray), new UpdateArrayOutcome(
                request.Array.Version, [.. request.Array.After.Select(after => NumberMapper.ToNumber(after, "after"))])),
            RequestAnswered.AnswerOneofCase.Get => (typeof(GetItems), new GetOutcome(
                (WaitStatus)(int)request.Get.Status, [.. request.Get.Items.Select(ToAnswered)], null)),
            RequestAnswered.AnswerOneofCase.Settle =>
                (typeof(SettleItems), new SettleOutcome(request.Settle.Settled, [.. request.Settle.StaleLeaseIds])),
            RequestAnswered.AnswerOneofCase.ShutDown => (typeof(ShutDownQueue), new ShutDownQueueOutcome(request.ShutDown.DroppedItems)),
            _ => throw new JournalException(
                $"the answer to request \"{request.RequestId}\" is of a kind that this build does not know: the journal is of a later " +
                "version"),
        };
        return new Core.Kernel.RequestAnswered(request.RequestId, answer.Command, answer.Outcome, times.ToEngine(request.At));
    }

    private Core.TaskModel.RestoredTask ToTask(JournaledTask task)
    {
        var accepted = task.Accepted;
        List<Violation>? violations = null;
        var policy = _policies.Map(accepted.Options, "options", ref violations);
        if (violations is not null)
            throw new JournalException(
                $"the options of task {accepted.TaskId} are wrong ({violations[0]}): the journal is damaged, or of a later version");
        if (task.Met.Count > 0)
            policy = policy with { DependsOn = [.. policy.DependsOn.Where(id => !task.Met.Contains((ulong)id))] };
        return new Core.TaskModel.RestoredTask(
            (long)accepted.TaskId,
            new TaskSubmission(accepted.Handler, policy, accepted.Input, accepted.Input.Length, accepted.Tag, accepted.RequestId)
            {
                TraceParent = accepted.Traceparent.Length == 0 ? null : accepted.Traceparent,
            },
            times.ToEngine(accepted.AcceptedAt))
        {
            Attempts = [.. task.Attempts.Select(ToAttempt)],
            Worker = task.Worker,
            IsCancelled = task.IsCancelled,
            End = task.End is { } end ? ToEnd(end) : null,
        };
    }

    private AttemptSummary ToAttempt(FailedAttempt failed) =>
        new(failed.Number, failed.Worker, times.ToEngineOrNone(failed.StartedAt), failed.RunTicks, ToFailure(failed.Error));

    private Core.TaskModel.TaskEnd ToEnd(TaskEnded end) =>
        new((TaskState)(int)end.State, end.Attempt, end.Worker, times.ToEngineOrNone(end.StartedAt), times.ToEngineOrNone(end.EndedAt),
            end.RunTicks)
        {
            Output = end.HasOutput ? end.Output : null,
            OutputBytes = end.HasOutput ? end.Output.Length : 0,
            Failure = end.Error is { } error ? ToFailure(error) : null,
        };

    private static TaskFailure ToFailure(V1.TaskError error)
    {
        var failure = WorkerMessageMapper.ToFailure(error);
        return error.PostMortem is { } post
            ? failure with
            {
                PostMortem = new WorkerPostMortem(
                    post.Worker, post.Pid, post.HasExitCode ? post.ExitCode : null, post.Signal, post.OutOfMemory, (long)post.PeakRssBytes,
                    post.CpuTime?.ToTimeSpan() ?? TimeSpan.Zero, [.. post.LastStderrLines]),
            }
            : failure;
    }

    private static Content ToContent(V1.Payload? payload) => new(payload ??= new V1.Payload(), payload.CalculateSize());

    private static Number? ToNumber(V1.Number? number) => number is null ? null : NumberMapper.ToNumber(number, "number");
}
