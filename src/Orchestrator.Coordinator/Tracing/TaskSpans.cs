using System.Diagnostics;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Coordinator.Tracing;

/// <summary>
/// Writes the spans of an ended task: <c>task</c>, and below it a <c>queue</c> and an <c>attempt</c> for each attempt; waits at shared
/// objects lie below their attempt.
/// </summary>
/// <remarks>
/// The names of attributes that others define are those of OpenTelemetry's conventions for messaging
/// (opentelemetry.io/docs/specs/semconv/messaging).
/// </remarks>
internal sealed class TaskSpans(ActivitySource source, MonotonicClock clock)
{
    /// <summary>Starts the span of a task, as a child of what submitted it; null if no listener wants it.</summary>
    public Activity? StartTask(TaskRecord task)
    {
        ActivityContext.TryParse(task.TraceParent, null, isRemote: true, out var parent);
        return Start($"task {task.Handler.Name}", ActivityKind.Internal, parent, task.AcceptedAt);
    }

    /// <summary>Starts the span of an attempt.</summary>
    public Activity? StartAttempt(Activity task, int number) =>
        Start($"attempt {number}", ActivityKind.Consumer, task.Context, clock.Now.Ticks);

    /// <summary>Writes all spans of an ended task.</summary>
    /// <param name="task">The task.</param>
    /// <param name="trace">The spans that have begun; null if it was not known before that it is traced.</param>
    public void Write(TaskRecord task, TaskTrace? trace)
    {
        if ((trace?.Task ?? StartTask(task)) is not { } span)
            return;
        var from = task.AcceptedAt;
        foreach (var earlier in task.EarlierAttempts)
        {
            var end = earlier.StartedAt + earlier.RunTicks;
            WriteQueue(span, from, earlier.StartedAt);
            if (FindOrStart(span, trace, earlier.Number) is { } attempt)
                EndAttempt(attempt, task, earlier.Number, earlier.Worker, (earlier.StartedAt, end), earlier.Failure);
            from = end;
        }

        WriteQueue(span, from, task.StartedAt == 0 ? task.EndedAt : task.StartedAt);
        if (task.StartedAt != 0 && FindOrStart(span, trace, task.Attempt) is { } last)
        {
            if (task.CpuTicks > 0)
                last.SetTag("orchestrator.attempt.cpu_time", TimeSpan.FromTicks(task.CpuTicks).TotalSeconds);
            EndAttempt(last, task, task.Attempt, task.WorkerName, LastAttempt(task), task.Failure);
        }

        EndTask(span, task);
    }

    /// <summary>Writes the span of a wait of an attempt.</summary>
    public void Write(Activity attempt, in EndedWait wait)
    {
        if (Start($"wait {wait.ObjectName}", ActivityKind.Internal, attempt.Context, wait.Since) is not { } span)
            return;
        span.SetTag("orchestrator.object", wait.ObjectName);
        span.SetTag("orchestrator.wait.outcome", wait.Outcome switch
        {
            null => "abandoned",
            ObjectError error => EnumTags.Of(error.Reason),
            { IsSuccess: true } => "granted",
            _ => "timeout",
        });
        if (wait.Outcome is AcquireLockOutcome { FencingToken: > 0 } granted)
            span.SetTag("orchestrator.fencing_token", (long)granted.FencingToken);
        if (wait.Outcome is ObjectError failed)
            span.SetStatus(ActivityStatusCode.Error, failed.Message);
        End(span, wait.Until);
    }

    /// <summary>When the last attempt ran: measured by its worker, or from its start to the task's end if its worker cannot say.</summary>
    private static (long Start, long End) LastAttempt(TaskRecord task)
    {
        var end = task.EndedAt - task.ReplyTicks;
        return task.RunTicks > 0 ? (Math.Max(task.AcceptedAt, end - task.RunTicks), end) : (task.StartedAt, task.EndedAt);
    }

    private static void SetFailure(Activity span, TaskFailure failure)
    {
        span.SetStatus(ActivityStatusCode.Error, failure.Message);
        span.SetTag("error.type", failure.Type.Length > 0 ? failure.Type : EnumTags.Of(failure.Reason));
        if (failure.Rung != CancelRung.None)
            span.SetTag("orchestrator.cancel.rung", EnumTags.Of(failure.Rung));
        if (failure.PostMortem is not { } death)
            return;
        span.SetTag("process.pid", death.ProcessId);
        span.SetTag("orchestrator.worker.exit", death.FullCause);
        if (death.Signal.Length > 0)
            span.SetTag("orchestrator.worker.signal", death.Signal);
    }

    private Activity? FindOrStart(Activity task, TaskTrace? trace, int attempt) => trace?.Find(attempt) ?? StartAttempt(task, attempt);

    private void WriteQueue(Activity task, long from, long to)
    {
        if (Start("queue", ActivityKind.Internal, task.Context, from) is { } span)
            End(span, Math.Max(from, to));
    }

    private void EndAttempt(
        Activity span, TaskRecord task, int number, string worker, (long Start, long End) time, TaskFailure? failure)
    {
        span.SetTag("messaging.system", "orchestrator");
        span.SetTag("messaging.destination.name", task.Handler.Name);
        span.SetTag("orchestrator.task.id", task.Id);
        span.SetTag("orchestrator.attempt", number);
        span.SetTag("orchestrator.worker", worker);
        span.SetTag("orchestrator.lane", EnumTags.Of(task.Handler.Kind));
        if (failure is not null)
            SetFailure(span, failure);
        span.SetStartTime(clock.ToWallClock(time.Start).UtcDateTime);
        End(span, time.End);
    }

    private void EndTask(Activity span, TaskRecord task)
    {
        span.SetTag("messaging.system", "orchestrator");
        span.SetTag("messaging.destination.name", task.Handler.Name);
        span.SetTag("orchestrator.task.id", task.Id);
        span.SetTag("orchestrator.task.state", EnumTags.Of(task.State));
        span.SetTag("orchestrator.task.attempts", task.Attempt);
        span.SetTag("orchestrator.task.priority", task.Policy.Priority);
        span.SetTag("orchestrator.task.durability", EnumTags.Of(task.Policy.Durability));
        if (task.ClientName.Length > 0)
            span.SetTag("orchestrator.task.client", task.ClientName);
        if (task.Failure is { } failure)
            SetFailure(span, failure);
        End(span, task.EndedAt);
    }

    private Activity? Start(string name, ActivityKind kind, ActivityContext parent, long start)
    {
        // Without a parent it would become a child of whatever this thread does at the moment.
        Activity.Current = null;
        return source.StartActivity(name, kind, parent, startTime: clock.ToWallClock(start));
    }

    private void End(Activity span, long end)
    {
        var time = clock.ToWallClock(end).UtcDateTime;
        // A span without a length would be given that of its writing.
        span.SetEndTime(time > span.StartTimeUtc ? time : span.StartTimeUtc.AddTicks(1));
        span.Stop();
    }
}
