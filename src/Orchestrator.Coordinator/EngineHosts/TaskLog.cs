using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>
/// Tasks' output and logs for a logger beside the tasks' own: that of a program with an embedded pool, or one that exports them. Each line
/// has its task, attempt and worker, and where the attempt is traced, the line belongs to its span.
/// </summary>
internal sealed partial class TaskLog(ILoggerFactory loggers)
{
    /// <summary>The log category, for filters.</summary>
    public const string Category = "Orchestrator.Tasks";

    private readonly ILogger _logger = loggers.CreateLogger(Category);

    /// <summary>Writes the lines of a report.</summary>
    /// <param name="report">What a worker has sent.</param>
    /// <param name="find">Finds the span of an attempt; null for none.</param>
    public void Write(TaskCommand.Report report, Func<AttemptId, Activity?> find)
    {
        var worker = report.Worker.Name is { Length: > 0 } name ? name : "this process";
        foreach (var update in report.Updates)
        {
            if (update is not { Kind: TaskEventKind.Log, Content: V1.LogLine line })
                continue;
            var level = LevelOf(line.Level);
            if (!_logger.IsEnabled(level))
                continue;
            var current = Activity.Current;
            // The ids of the span, which loggers add to their lines.
            Activity.Current = find(new AttemptId(update.TaskId, update.Attempt));
            try
            {
                using var scope = _logger.BeginScope(ScopeOf(update, worker));
                Log.Line(_logger, level, line.Message, update.TaskId, worker);
            }
            finally
            {
                Activity.Current = current;
            }
        }
    }

    private static Dictionary<string, object> ScopeOf(in AttemptUpdate update, string worker) => new(StringComparer.Ordinal)
    {
        ["orchestrator.task.id"] = update.TaskId,
        ["orchestrator.attempt"] = update.Attempt,
        ["orchestrator.worker"] = worker,
    };

    private static LogLevel LevelOf(string level) => level switch
    {
        "debug" => LogLevel.Debug,
        "warning" => LogLevel.Warning,
        "error" => LogLevel.Error,
        "critical" => LogLevel.Critical,
        _ => LogLevel.Information,
    };

    private static partial class Log
    {
        [LoggerMessage(Message = "{Line} (task {Task} on {Worker})")]
        public static partial void Line(ILogger logger, LogLevel level, string line, long task, string worker);
    }
}
