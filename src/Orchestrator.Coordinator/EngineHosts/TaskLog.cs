using Microsoft.Extensions.Logging;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>
/// In a program with an embedded pool: tasks' output and logs also go to the program's logger, with task and worker. A standalone
/// coordinator keeps them in the tasks' logs only.
/// </summary>
internal sealed partial class TaskLog(ILoggerFactory loggers)
{
    /// <summary>The log category, for filters.</summary>
    public const string Category = "Orchestrator.Tasks";

    private readonly ILogger _logger = loggers.CreateLogger(Category);

    public void Write(TaskCommand.Report report)
    {
        var worker = report.Worker.Name is { Length: > 0 } name ? name : "this process";
        foreach (var update in report.Updates)
        {
            if (update is not { Kind: TaskEventKind.Log, Content: V1.LogLine line })
                continue;
            var level = LevelOf(line.Level);
            Log.Line(_logger, level, line.Message, update.TaskId, worker);
        }
    }

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
