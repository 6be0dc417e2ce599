using System.Diagnostics;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Contracts.Passthrough;
using Orchestrator.Core.Tasks;
using V1 = Orchestrator.V1;

namespace Orchestrator.Coordinator.Dispatch;

/// <summary>Between what workers and the engine say: reports, failures, events.</summary>
internal static class WireConversions
{
    public static AttemptReport ToReport(in PassAttemptResult result) => new(
        (long)result.TaskId,
        result.Attempt,
        result.Error is null ? result.Output : null,
        result.Error is null ? result.Output.Length : 0,
        result.Error is null ? null : ToFailure(result.Error),
        ToTicks(result.Run),
        ToTicks(result.CpuTime),
        (long)result.AllocatedBytes,
        result.EndedAt == 0 ? 0 : Stopwatch.GetElapsedTime((long)result.EndedAt).Ticks);

    public static AttemptId[] ToIds(RepeatedField<Worker.V1.AttemptRef> returned)
    {
        if (returned.Count == 0)
            return [];
        return [.. returned.Select(item => new AttemptId((long)item.TaskId, item.Attempt))];
    }

    public static AttemptNews[] ToNews(RepeatedField<PassAttemptEvent> events)
    {
        if (events.Count == 0)
            return [];
        var news = new List<AttemptNews>(events.Count);
        foreach (var item in events)
        {
            if (ToNews(item) is { } known)
                news.Add(known);
        }

        return [.. news];
    }

    /// <summary>Null for a start: those are known from the lanes' order, though a worker may still say so.</summary>
    public static AttemptNews? ToNews(PassAttemptEvent item)
    {
        var (id, attempt) = ((long)item.TaskId, item.Attempt);
        return item.EventCase switch
        {
            PassAttemptEvent.EventOneofCase.Progress => new(id, attempt, TaskEventKind.Progress, item.Progress, item.Progress.CalculateSize()),
            PassAttemptEvent.EventOneofCase.PartialOutput => new(id, attempt, TaskEventKind.PartialOutput, item.PartialOutput, item.PartialOutput.Length),
            PassAttemptEvent.EventOneofCase.Log => new(id, attempt, TaskEventKind.Log, item.Log, item.Log.CalculateSize()),
            _ => null,
        };
    }

    public static TaskFailure ToFailure(V1.TaskError error) =>
        new((FailureReason)(int)error.Reason, error.Message)
        {
            Type = error.Type,
            StackTrace = error.StackTrace,
            Rung = (CancelRung)(int)error.Rung,
        };

    public static V1.TaskError ToError(TaskFailure failure)
    {
        var error = new V1.TaskError
        {
            Reason = (V1.ErrorReason)(int)failure.Reason,
            Message = failure.Message,
            Type = failure.Type,
            StackTrace = failure.StackTrace,
            Rung = (V1.CancelRung)(int)failure.Rung,
        };
        if (failure.PostMortem is { } postMortem)
            error.PostMortem = ToPostMortem(postMortem);
        return error;
    }

    public static Duration ToDuration(long ticks) => Duration.FromTimeSpan(TimeSpan.FromTicks(ticks));

    private static long ToTicks(PassDuration? duration) =>
        duration is { } some ? (some.Seconds * TimeSpan.TicksPerSecond) + Math.Max(1, some.Nanos / 100) : 0;

    private static V1.PostMortem ToPostMortem(WorkerPostMortem postMortem)
    {
        var message = new V1.PostMortem
        {
            Worker = postMortem.Worker,
            Pid = postMortem.ProcessId,
            Signal = postMortem.Signal,
            OutOfMemory = postMortem.OutOfMemory,
            PeakRssBytes = (ulong)postMortem.PeakRssBytes,
            CpuTime = Duration.FromTimeSpan(postMortem.CpuTime),
        };
        if (postMortem.ExitCode is { } code)
            message.ExitCode = code;
        message.LastStderrLines.AddRange(postMortem.LastStandardErrorLines);
        return message;
    }
}
