using System.Text;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>
/// Routes a worker's output lines that the worker has not attributed to a task, such as lines of native code, of a child or of a worker in
/// another language: to the running task if there is exactly one, else to the coordinator's log, at information level. Both are bounded.
/// </summary>
internal sealed partial class PrintedLines(TaskEngineHost host, Func<WorkerProcess> worker, TimeProvider time, ILogger logger)
{
    private const int MaxBytes = 64 * 1_024;

    // Named like the other levels of a task's log: the source, standard output or error, is unknown.
    private const string Level = "output";

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private AttemptId _attempt;
    private int _taskBytes;
    private long _windowStart;
    private int _windowBytes;

    /// <summary>Called in order, by one thread at a time.</summary>
    public void OnLine(string line)
    {
        var view = worker().Link?.View;
        if (view is not null && host.Read(_ => view.OnlyRunning) is { } attempt)
        {
            if (Take(attempt, line) is { } kept)
            {
                var content = new V1.LogLine { Level = Level, Message = kept };
                host.Apply(new TaskCommand.Report(view, [])
                {
                    Updates =
                    [new AttemptUpdate(attempt.TaskId, attempt.Attempt, TaskEventKind.Log, content, content.CalculateSize())]
                });
            }
        }
        else if (logger.IsEnabled(LogLevel.Information))
        {
            ToWorkersLog(line);
        }
    }

    /// <summary>The line, or the truncation notice once the task has reached its limit; null after that.</summary>
    private string? Take(AttemptId attempt, string line)
    {
        if (attempt != _attempt)
            (_attempt, _taskBytes) = (attempt, 0);
        if (_taskBytes > MaxBytes)
            return null;
        _taskBytes += Encoding.UTF8.GetByteCount(line) + 1;
        return _taskBytes <= MaxBytes ? line : $"this task's log holds {MaxBytes >> 10} KB; what it writes from here on is cut";
    }

    private void ToWorkersLog(string line)
    {
        if (_windowStart == 0 || time.GetElapsedTime(_windowStart) > Window)
            (_windowStart, _windowBytes) = (time.GetTimestamp(), 0);
        if (_windowBytes > MaxBytes)
            return;
        _windowBytes += line.Length + 1;
        var name = worker().Name;
        if (_windowBytes <= MaxBytes)
            Log.Printed(logger, name, line);
        else
            Log.Cut(logger, name, MaxBytes >> 10, Window.TotalSeconds);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "{Worker} printed: {Line}")]
        public static partial void Printed(ILogger logger, string worker, string line);

        [LoggerMessage(Level = LogLevel.Information, Message = "{Worker} prints more than {Kilobytes} KB in {Seconds} s; the rest is cut")]
        public static partial void Cut(ILogger logger, string worker, int kilobytes, double seconds);
    }
}
