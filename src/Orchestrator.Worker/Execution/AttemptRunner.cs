using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Protocol;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Execution;

/// <summary>Starts an attempt, and turns its end into a result: the code that all lanes share.</summary>
internal sealed class AttemptRunner(TaskExecutor executor, FlightRecorder? recorder, TimeProvider time)
{
    /// <summary>False if the attempt was cancelled or returned in the meantime, and must not run.</summary>
    public bool Begin(TaskContext attempt)
    {
        if (!attempt.TryStart())
            return false;
        executor.OnStarted();
        ref readonly var assignment = ref attempt.Assignment;
        attempt.Clock.Started = time.GetTimestamp();
        // The mark is set before user code runs: an attempt whose byte is still 0 has provably not started.
        if (recorder is not null && !recorder.Mark(assignment.Slot, FlightRecorder.Started))
        {
            End(attempt, default, TaskErrors.NoSuchSlot(assignment.Slot, recorder.Slots), exclusive: false);
            return false;
        }

        if (assignment.RunTimeout is { } timeout && ToTimer(timeout) is { } wait)
            attempt.RunTimer = time.CreateTimer(
                static state => ((TaskContext)state!).RequestCancel(CancelCause.RunTimeout), attempt, wait, Timeout.InfiniteTimeSpan);
        if (assignment.Timing)
        {
            attempt.Clock.Thread = Environment.CurrentManagedThreadId;
            attempt.Clock.CpuNanoseconds = ThreadClock.CpuNanoseconds();
            attempt.Clock.AllocatedBytes = GC.GetAllocatedBytesForCurrentThread();
        }

        return true;
    }

    /// <summary>Runs the handler until its first await. Pass its exceptions to <see cref="Fail"/>.</summary>
    public static ValueTask<ByteString> Invoke(TaskContext attempt)
    {
        // The lanes restore the previous context, of which the span is a part.
        attempt.Span = AttemptTrace.Start(attempt);
        attempt.Enter();
        return attempt.Registration.Invoker.InvokeAsync(attempt, attempt.Assignment.Input);
    }

    /// <param name="attempt">The attempt that has ended.</param>
    /// <param name="output">The encoded payload.</param>
    /// <param name="exclusive">The thread has run only this attempt since it began, so that its counters are meaningful.</param>
    public void Succeed(TaskContext attempt, ByteString output, bool exclusive)
    {
        if (output.Length > executor.LargestOutput)
        {
            var fault = new PayloadTooLargeException($"the output of '{attempt.Handler}'", output.Length, executor.LargestOutput);
            Fail(attempt, fault, exclusive);
        }
        else
        {
            End(attempt, output, null, exclusive);
        }
    }

    public void Fail(TaskContext attempt, Exception exception, bool exclusive)
    {
        TaskError error;
        try
        {
            error = TaskErrors.From(attempt, exception);
        }
        catch (Exception)
        {
            // The exception is user code, too: an error in its members is the task's failure and not the worker's.
            error = TaskErrors.Unreadable(exception);
        }

        if (exception is OutOfMemoryException)
        {
            // What it had is garbage now, but the heap has still grown to the limit: the next task would fail for it.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }

        End(attempt, null, error, exclusive);
    }

    /// <summary>Reports an attempt that never ran.</summary>
    public static RawAttemptResult NotRun(in RawAssignment assignment, TaskError error) => new()
    {
        TaskId = assignment.TaskId,
        Attempt = assignment.Attempt,
        Error = error,
        Run = default(RawDuration),
    };

    private void End(TaskContext attempt, ByteString? output, TaskError? error, bool exclusive)
    {
        // Before its log is closed.
        if (attempt.Span is { } span)
            AttemptTrace.End(attempt, span, error);
        attempt.End();
        attempt.RunTimer?.Dispose();
        ref readonly var assignment = ref attempt.Assignment;
        var endedAt = time.GetTimestamp();
        var result = new RawAttemptResult
        {
            TaskId = assignment.TaskId,
            Attempt = assignment.Attempt,
            Run = RawDuration.FromNanoseconds(time.GetElapsedTime(attempt.Clock.Started, endedAt).Ticks * TimeSpan.NanosecondsPerTick),
        };
        if (output is not null)
            result.Output = output;
        if (error is not null)
            result.Error = error;
        if (assignment.Timing)
            result.EndedAt = (ulong)endedAt;
        if (exclusive && assignment.Timing && attempt.Clock.Thread == Environment.CurrentManagedThreadId)
        {
            result.CpuTime = RawDuration.FromNanoseconds(ThreadClock.CpuNanoseconds() - attempt.Clock.CpuNanoseconds);
            result.AllocatedBytes = (ulong)(GC.GetAllocatedBytesForCurrentThread() - attempt.Clock.AllocatedBytes);
        }

        // Before the result is sent: once the coordinator has it, the slot may belong to another attempt.
        recorder?.Mark(assignment.Slot, FlightRecorder.Ended);
        executor.OnEnded(attempt, result);
    }

    // Null for a duration beyond a timer's range: the coordinator, which enforces the timeout in any case, cancels the attempt then.
    private static TimeSpan? ToTimer(Duration duration) =>
        duration.Seconds >= (long)ProtocolConstants.LongestTimer.TotalSeconds ? null
        : duration.Seconds < 0 || duration.Nanos < 0 ? TimeSpan.Zero
        : TimeSpan.FromSeconds(duration.Seconds) + TimeSpan.FromTicks(duration.Nanos / TimeSpan.NanosecondsPerTick);
}
