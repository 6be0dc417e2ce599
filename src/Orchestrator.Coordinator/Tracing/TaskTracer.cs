using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Coordinator.Tracing;

/// <summary>
/// Decides of which tasks spans are made, and makes them, while there is a listener. Of a task whose trace context or number says that it
/// is traced, spans begin with its first assignment, so that those of its worker lie below them; of others that end badly or late, all of
/// them are made after the end.
/// </summary>
internal sealed partial class TaskTracer : IFlushable, IDisposable
{
    /// <summary>The source of the spans.</summary>
    public const string SourceName = "Orchestrator.Coordinator";

    // How many tasks a second are traced only because of how they ended.
    private const int MaxExceptionsPerSecond = 100;

    // The flags of a W3C trace context are these two digits; later versions may append more.
    private const int FlagsAt = 53;

    private readonly MonotonicClock _clock;
    private readonly TracingOptions _options;
    private readonly ILogger<TaskTracer> _logger;
    private readonly TaskSpans _spans;
    private readonly Lock _gate = new();
    private readonly ulong _sampledBelow;
    private List<(TaskRecord Task, TaskTrace? Trace)> _ended = [];
    private List<(Activity Attempt, EndedWait Wait)> _waits = [];
    private long _second;
    private int _exceptions;

    public TaskTracer(MonotonicClock clock, TracingOptions options, ILogger<TaskTracer> logger)
    {
        (_clock, _options, _logger) = (clock, options, logger);
        _spans = new TaskSpans(Source, clock);
        // As a double, the largest number is one more than fits.
        _sampledBelow = options.Ratio >= 1 ? ulong.MaxValue : (ulong)(options.Ratio * ulong.MaxValue);
    }

    /// <summary>The source of this coordinator's spans.</summary>
    public ActivitySource Source { get; } = new(SourceName);

    /// <summary>Whether there is a listener.</summary>
    public bool IsOn => Source.HasListeners();

    /// <summary>The trace context to send with an attempt.</summary>
    public static string ContextFor(TaskRecord task, int attempt) =>
        (task.Trace as TaskTrace)?.Find(attempt)?.Id ?? task.TraceParent;

    /// <summary>Attempts are sent to their workers; called under the engine's lock.</summary>
    public void OnAssigned(ReadOnlySpan<AttemptAssignment> assignments)
    {
        foreach (ref readonly var assignment in assignments)
        {
            if (!assignment.Task.HasEnded && IsSampled(assignment.Task))
                Guard(static (tracer, assignment) => tracer.Begin(assignment), assignment);
        }
    }

    /// <summary>
    /// Tasks have ended; called under the engine's lock. Their spans are made by <see cref="Flush"/>.
    /// </summary>
    /// <returns>Whether there are any to make.</returns>
    public bool OnEnded(IReadOnlyList<TaskRecord> tasks)
    {
        var any = false;
        lock (_gate)
        {
            for (var i = 0; i < tasks.Count; i++)
            {
                var task = tasks[i];
                var trace = task.Trace as TaskTrace;
                if (trace is null && !IsSampled(task) && !IsException(task))
                    continue;
                task.Trace = null;
                _ended.Add((task, trace));
                any = true;
            }
        }

        return any;
    }

    /// <summary>A wait of a traced task's attempt has ended; its span is made by <see cref="Flush"/>.</summary>
    public void OnWaited(Activity attempt, in EndedWait wait)
    {
        lock (_gate)
            _waits.Add((attempt, wait));
    }

    public void Flush(bool alone)
    {
        List<(TaskRecord Task, TaskTrace? Trace)> ended;
        List<(Activity Attempt, EndedWait Wait)> waits;
        lock (_gate)
        {
            (ended, _ended) = (_ended, []);
            (waits, _waits) = (_waits, []);
        }

        foreach (var item in waits)
            Guard(static (tracer, item) => tracer._spans.Write(item.Attempt, item.Wait), item);
        foreach (var item in ended)
            Guard(static (tracer, item) => tracer._spans.Write(item.Task, item.Trace), item);
    }

    public void Dispose() => Source.Dispose();

    private void Begin(in AttemptAssignment assignment)
    {
        var task = assignment.Task;
        if (task.Trace is not TaskTrace trace)
        {
            if (_spans.StartTask(task) is not { } span)
                return;
            task.Trace = trace = new TaskTrace(span);
        }

        // An attempt that was given back has its span already.
        if (trace.Find(assignment.Attempt) is null && _spans.StartAttempt(trace.Task, assignment.Attempt) is { } attempt)
            trace.Add(assignment.Attempt, attempt);
    }

    private bool IsSampled(TaskRecord task)
    {
        if (task.TraceParent is { Length: > FlagsAt + 1 } context)
            return (int.Parse(context.AsSpan(FlagsAt, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & 1) != 0;
        // The multiplication spreads consecutive numbers evenly (Knuth, The Art of Computer Programming 6.4, Fibonacci hashing).
        return _sampledBelow > 0 && (ulong)task.Id * 0x9E3779B97F4A7C15 <= _sampledBelow;
    }

    /// <summary>Whether a task that nothing marked is traced because of how it ended.</summary>
    private bool IsException(TaskRecord task)
    {
        if (task.State is TaskState.Succeeded or TaskState.Cancelled
            && task.EarlierAttempts.Count == 0
            && task.EndedAt - task.AcceptedAt < _options.SlowerThan.Ticks)
        {
            return false;
        }

        var second = _clock.Now.Ticks / TimeSpan.TicksPerSecond;
        if (second != _second)
            (_second, _exceptions) = (second, 0);
        return _exceptions++ < MaxExceptionsPerSecond;
    }

    /// <summary>A listener is code of others, which may throw: then its span is missing, and nothing else.</summary>
    private void Guard<T>(Action<TaskTracer, T> write, in T item)
    {
        var current = Activity.Current;
        try
        {
            write(this, item);
        }
        catch (Exception exception)
        {
            LogFailed(_logger, exception);
        }
        finally
        {
            Activity.Current = current;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "a listener to the spans of tasks failed")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
