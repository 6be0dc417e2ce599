using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Execution;

/// <summary>
/// Spans of attempts, as children of what submitted their tasks, made only for listeners. A listener is user code, which may throw: then
/// the attempt goes on without its span.
/// </summary>
internal static partial class AttemptTrace
{
    private static readonly ActivitySource Source = new(TaskContext.ActivitySourceName);

    /// <summary>A span of an attempt that begins, current in the calling flow; null without a listener.</summary>
    public static Activity? Start(TaskContext attempt)
    {
        // Four times cheaper than a request for a span that no listener takes.
        if (!Source.HasListeners())
            return null;
        try
        {
            return StartSpan(attempt);
        }
        catch (Exception exception)
        {
            LogFailed(attempt.Logger, exception);
            return null;
        }
    }

    /// <summary>The attempt has ended.</summary>
    public static void End(TaskContext attempt, Activity span, TaskError? error)
    {
        try
        {
            if (error is not null)
            {
                span.SetStatus(ActivityStatusCode.Error, error.Message);
                span.SetTag("error.type", error.Type.Length > 0 ? error.Type : error.Reason.ToString());
            }

            span.Stop();
        }
        catch (Exception exception)
        {
            LogFailed(attempt.Logger, exception);
        }
    }

    private static Activity? StartSpan(TaskContext attempt)
    {
        ActivityContext.TryParse(attempt.TraceParent, null, isRemote: true, out var parent);
        var span = Source.StartActivity($"{attempt.Handler} process", ActivityKind.Consumer, parent);
        span?.SetTag("messaging.system", "orchestrator");
        span?.SetTag("messaging.operation.type", "process");
        span?.SetTag("messaging.destination.name", attempt.Handler);
        span?.SetTag("orchestrator.task.id", (long)attempt.TaskId);
        span?.SetTag("orchestrator.attempt", attempt.Attempt);
        span?.SetTag("orchestrator.worker", attempt.WorkerName);
        return span;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "a listener to the spans of attempts failed")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
