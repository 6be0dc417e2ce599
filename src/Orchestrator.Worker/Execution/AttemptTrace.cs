using System.Diagnostics;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Execution;

/// <summary>Traces of attempts, as children of what submitted their tasks; who listens decides whether there are any.</summary>
internal static class AttemptTrace
{
    private static readonly ActivitySource Source = new(TaskContext.ActivitySourceName);

    /// <summary>A span of an attempt that begins, current in the calling flow; null where nobody listens.</summary>
    public static Activity? Start(TaskContext attempt)
    {
        // Asked first: to ask for a span that nobody wants costs more than the question.
        if (!Source.HasListeners())
            return null;
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

    /// <summary>The attempt has ended.</summary>
    public static void End(Activity span, TaskError? error)
    {
        if (error is not null)
        {
            span.SetStatus(ActivityStatusCode.Error, error.Message);
            span.SetTag("error.type", error.Type.Length > 0 ? error.Type : error.Reason.ToString());
        }

        span.Stop();
    }
}
