using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Services;
using Orchestrator.Core.TaskModel;
using Orchestrator.Transport.RawMessages;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>Converts ended tasks and events to their wire form.</summary>
internal sealed class TaskResultMapper(MonotonicClock clock)
{
    /// <summary>The result of an ended task, under the reader's tag.</summary>
    public RawTaskResult ToResult(TaskRecord task, ulong tag, bool timing)
    {
        var result = new RawTaskResult
        {
            TaskId = (ulong)task.Id,
            Tag = tag,
            State = (V1.TaskState)(int)task.State,
            Worker = task.WorkerName,
            Attempt = task.Attempt,
        };
        if (task.Output is ByteString output)
            result.Output = output;
        if (task.Failure is { } failure && task.State != TaskState.Succeeded)
            result.Error = WorkerMessageMapper.ToError(failure);
        if (timing)
            result.Timing = ToTiming(task);
        return result;
    }

    /// <summary>Adds the result of an ended task to a <c>StreamTasksResponse</c>, as <see cref="ToResult"/>.</summary>
    public void AddTo(MessageBuffer message, TaskRecord task, ulong tag, bool timing)
    {
        if (timing || task.Failure is not null)
        {
            message.Add(PlainTaskResult.Field, new MessageItem(ToResult(task, tag, timing)));
            return;
        }

        message.Add(
            PlainTaskResult.Field,
            new PlainTaskResult(
                (ulong)task.Id, tag, (V1.TaskState)(int)task.State, task.Output as ByteString
                    ?? ByteString.Empty, task.WorkerName, task.Attempt));
    }

    /// <summary>The result of a refused task: it has no id, and its tag identifies it.</summary>
    public static RawTaskResult ToRefusal(TaskFailure failure, ulong tag) =>
        new() { Tag = tag, State = V1.TaskState.Failed, Error = WorkerMessageMapper.ToError(failure) };

    /// <summary>Adds an event for its reader, after a notice of the events missing before it.</summary>
    public void AddTo(ICollection<RawTaskEvent> events, in TaskEventRecord item, EventCounts missing, ulong tag)
    {
        AddGap(events, item.Task, missing with { Partials = 0 }, tag, item.Sequence, item.At);
        if (item.Kind == TaskEventKind.Ended)
            AddGap(events, item.Task, missing with { LogLines = 0 }, tag, item.Sequence, item.At);
        var message = ToEvent(item, tag);
        if (item.Kind != TaskEventKind.Ended)
            message.DroppedBefore = (ulong)missing.Partials;
        events.Add(message);
    }

    /// <summary>Adds a notice of the events missing at the end of a task, before its result.</summary>
    public void AddGap(ICollection<RawTaskEvent> events, TaskRecord task, EventCounts missing, ulong tag) =>
        AddGap(events, task, missing, tag, task.EndedSequence, task.EndedAt);

    private void AddGap(ICollection<RawTaskEvent> events, TaskRecord task, EventCounts missing, ulong tag, long before, long at)
    {
        // A reader that resumes after this notice still gets the events that follow.
        if (missing.LogLines > 0)
        {
            var gap = Begin(task, tag, before - 1, at);
            gap.Log =
                new V1.LogLine
                {
                    Level = "warning",
                    Message =
                        $"{missing.LogLines} log lines before this are lost to this reader: only the newest {EventBacklog.MaxEvents:N0} " +
                        "events are kept"
                };
            events.Add(gap);
        }

        if (missing.Partials > 0)
        {
            var gap = Begin(task, tag, before - 1, at);
            gap.DroppedBefore = (ulong)missing.Partials;
            events.Add(gap);
        }
    }

    private RawTaskEvent Begin(TaskRecord task, ulong tag, long sequence, long at) => new()
    {
        TaskId = (ulong)task.Id,
        Tag = tag,
        Sequence = (ulong)sequence,
        At = Timestamp.FromDateTimeOffset(clock.ToWallClock(at)),
    };

    private RawTaskEvent ToEvent(in TaskEventRecord item, ulong tag)
    {
        var message = Begin(item.Task, tag, item.Sequence, item.At);
        switch (item.Kind)
        {
            case TaskEventKind.Queued:
                message.State = V1.TaskState.Queued;
                break;
            case TaskEventKind.Running:
                message.State = V1.TaskState.Running;
                break;
            case TaskEventKind.Progress:
                message.Progress = (V1.Progress)item.Content!;
                break;
            case TaskEventKind.PartialOutput:
                message.PartialOutput = (ByteString)item.Content!;
                break;
            case TaskEventKind.Log:
                message.Log = (V1.LogLine)item.Content!;
                break;
            default:
                message.Result = ToResult(item.Task, tag, timing: true);
                break;
        }

        return message;
    }

    /// <summary>All information on a task; its output only on request.</summary>
    /// <param name="task">The task.</param>
    /// <param name="withOutput">Whether its output is included.</param>
    /// <param name="waitingFor">Why it has not started; empty if it has.</param>
    public V1.TaskInfo ToInfo(TaskRecord task, bool withOutput, string waitingFor = "")
    {
        var info = new V1.TaskInfo
        {
            TaskId = (ulong)task.Id,
            Handler = task.Handler.Name,
            State = (V1.TaskState)(int)task.State,
            Options = TaskPolicyMapper.ToOptions(task.Policy),
            Progress = task.Progress as V1.Progress,
            Client = task.ClientName,
            WaitingFor = waitingFor,
            AcceptedAt = Timestamp.FromDateTimeOffset(clock.ToWallClock(task.AcceptedAt)),
        };
        foreach (var attempt in task.EarlierAttempts)
        {
            info.Attempts.Add(ToAttempt(attempt.Number, attempt.Worker, attempt.StartedAt, attempt.RunTicks));
            info.Attempts[^1].Error = WorkerMessageMapper.ToError(attempt.Failure);
        }

        if (task.StartedAt != 0)
            info.Attempts.Add(ToAttempt(task.Attempt, task.WorkerName, task.StartedAt, task.HasEnded ? task.RunTicks : 0));
        if (task.HasEnded)
            info.Result = ToPublic(ToResult(task, task.Tag, timing: true), withOutput);
        return info;
    }

    /// <summary>
    /// The same wire format, parsed with its payload. The payload came from a worker, was not parsed before, and may be invalid.
    /// </summary>
    private static V1.TaskResult ToPublic(RawTaskResult result, bool withOutput)
    {
        var output = result.Output;
        result.Output = ByteString.Empty;
        var info = V1.TaskResult.Parser.ParseFrom(result.ToByteString());
        info.Output = null;
        if (!withOutput || output.IsEmpty)
            return info;
        try
        {
            info.Output = V1.Payload.Parser.ParseFrom(output);
        }
        catch (InvalidProtocolBufferException exception)
        {
            info.Error ??= new V1.TaskError
            {
                Reason = V1.ErrorReason.Invalid,
                Message = $"the worker's output of {output.Length:N0} bytes is no payload: {exception.Message}"
            };
        }

        return info;
    }

    private V1.Attempt ToAttempt(int number, string worker, long startedAt, long runTicks)
    {
        var attempt = new V1.Attempt { Number = number, Worker = worker };
        if (startedAt != 0)
            attempt.StartedAt = Timestamp.FromDateTimeOffset(clock.ToWallClock(startedAt));
        if (runTicks != 0)
            attempt.Run = WorkerMessageMapper.ToDuration(runTicks);
        return attempt;
    }

    private V1.TaskTiming ToTiming(TaskRecord task)
    {
        var timing = new V1.TaskTiming { AcceptedAt = Timestamp.FromDateTimeOffset(clock.ToWallClock(task.AcceptedAt)) };
        if (task.StartedAt == 0)
        {
            timing.Queued = WorkerMessageMapper.ToDuration(task.EndedAt - task.AcceptedAt);
            return timing;
        }

        timing.Queued = WorkerMessageMapper.ToDuration(task.StartedAt - task.AcceptedAt);
        if (task.RunTicks != 0)
        {
            timing.Run = WorkerMessageMapper.ToDuration(task.RunTicks);
            // From the dispatch decision to the arrival of the result, minus the run itself: the way to the worker and, if the worker
            // reports it, the way back.
            var ways = Math.Max(0, task.EndedAt - task.StartedAt - task.RunTicks);
            var back = Math.Min(task.ReplyTicks, ways);
            timing.Dispatch = WorkerMessageMapper.ToDuration(ways - back);
            if (back != 0)
                timing.Reply = WorkerMessageMapper.ToDuration(back);
        }

        if (task.CpuTicks != 0)
            timing.CpuTime = WorkerMessageMapper.ToDuration(task.CpuTicks);
        timing.AllocatedBytes = (ulong)task.AllocatedBytes;
        return timing;
    }
}
