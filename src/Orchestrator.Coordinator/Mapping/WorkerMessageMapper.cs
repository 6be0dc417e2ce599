using System.Diagnostics;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;
using Orchestrator.Transport.RawMessages;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>Converts worker messages to engine commands: reports, failures, events.</summary>
internal static class WorkerMessageMapper
{
    // 100 years: sums of many such times stay within a long.
    private const long MaxSeconds = 100L * 366 * 24 * 60 * 60;

    /// <param name="result">The result.</param>
    /// <param name="largestOutput">The largest output that is passed on, in bytes: a worker in any language may send a larger one.</param>
    public static AttemptReport ToReport(in RawAttemptResult result, int largestOutput)
    {
        var failure = result.Error is { } error ? ToFailure(error)
            : result.Output.Length > largestOutput ? new TaskFailure(
                FailureReason.LimitExceeded, $"its output {TooLarge(result.Output, largestOutput)}")
            : FaultOf(result.Output) is { } fault
                ? new TaskFailure(FailureReason.HandlerFailed, $"its output cannot be passed on: {fault}") : null;
        return ToReport(result, failure);
    }

    private static string TooLarge(ByteString output, int largest) =>
        $"has {output.Length:N0} bytes; the limit (payload_bytes) is {largest:N0}: write it to a file and return its name, or raise the " +
        "limit (--max-payload)";

    private static AttemptReport ToReport(in RawAttemptResult result, TaskFailure? failure) => new(
        (long)result.TaskId,
        result.Attempt,
        failure is null ? result.Output : null,
        failure is null ? result.Output.Length : 0,
        failure,
        ToTicks(result.Run),
        ToTicks(result.CpuTime),
        (long)Math.Min(result.AllocatedBytes, 1UL << 60),
        // Worker timestamps are untrusted: one in the future counts as now.
        result.EndedAt == 0 ? 0 : Math.Max(1, Stopwatch.GetElapsedTime((long)result.EndedAt).Ticks));

    public static AttemptId[] ToIds(RepeatedField<Worker.V1.AttemptRef> returned)
    {
        if (returned.Count == 0)
            return [];
        return [.. returned.Select(item => new AttemptId((long)item.TaskId, item.Attempt))];
    }

    /// <param name="events">The events.</param>
    /// <param name="largestOutput">The largest partial output that is passed on, in bytes.</param>
    public static AttemptUpdate[] ToUpdate(RepeatedField<RawAttemptEvent> events, int largestOutput)
    {
        if (events.Count == 0)
            return [];
        var updates = new List<AttemptUpdate>(events.Count);
        foreach (var item in events)
        {
            if (ToUpdate(item, largestOutput) is { } known)
                updates.Add(known);
        }

        return [.. updates];
    }

    /// <summary>Null for a start: starts follow from the lanes' order, though a worker may still report them.</summary>
    public static AttemptUpdate? ToUpdate(RawAttemptEvent item, int largestOutput)
    {
        var (id, attempt) = ((long)item.TaskId, item.Attempt);
        return item.EventCase switch
        {
            RawAttemptEvent.EventOneofCase.Progress =>
                new(id, attempt, TaskEventKind.Progress, item.Progress, item.Progress.CalculateSize()),
            RawAttemptEvent.EventOneofCase.PartialOutput when item.PartialOutput.Length > largestOutput =>
                Warning(id, attempt, $"a partial output is left out: it {TooLarge(item.PartialOutput, largestOutput)}"),
            RawAttemptEvent.EventOneofCase.PartialOutput when FaultOf(item.PartialOutput) is { } fault =>
                Warning(id, attempt, $"a partial output cannot be passed on: {fault}"),
            RawAttemptEvent.EventOneofCase.PartialOutput =>
                new(id, attempt, TaskEventKind.PartialOutput, item.PartialOutput, item.PartialOutput.Length),
            RawAttemptEvent.EventOneofCase.Log => new(id, attempt, TaskEventKind.Log, item.Log, item.Log.CalculateSize()),
            _ => null,
        };
    }

    private static AttemptUpdate Warning(long id, int attempt, string message)
    {
        var line = new V1.LogLine { Level = "warning", Message = message };
        return new(id, attempt, TaskEventKind.Log, line, line.CalculateSize());
    }

    /// <summary>Why an output that a worker encoded is unreadable; null when it is valid.</summary>
    private static string? FaultOf(ByteString output)
    {
        try
        {
            PayloadFormat.Check(output.Span);
            return null;
        }
        catch (InvalidDataException exception)
        {
            return exception.Message;
        }
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

    /// <summary>Vitals without numbers that no process can have: any program may be a worker.</summary>
    public static Worker.V1.Vitals ToPlausible(Worker.V1.Vitals vitals)
    {
        vitals.CpuPercent = double.IsFinite(vitals.CpuPercent) ? Math.Clamp(vitals.CpuPercent, 0, 1_000_000) : 0;
        vitals.RssBytes = Math.Min(vitals.RssBytes, 1UL << 50);
        vitals.Threads = Math.Max(0, vitals.Threads);
        return vitals;
    }

    private static long ToTicks(RawDuration? duration) =>
        duration is { } some ? (Math.Clamp(some.Seconds, 0, MaxSeconds) * TimeSpan.TicksPerSecond) + Math.Max(1, some.Nanos / 100) : 0;

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
