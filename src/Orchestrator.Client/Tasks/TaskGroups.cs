namespace Orchestrator.Client.Tasks;

/// <summary>Structured concurrency, waits and combinations over handles.</summary>
public static class TaskGroups
{
    /// <summary>
    /// Runs the body with a group, and returns when the body and all tasks of the group have ended. The first unsuccessful task, an
    /// exception of the body or an external cancellation cancels the rest.
    /// </summary>
    /// <exception cref="AggregateException">All failures, except the cancellations that they caused.</exception>
    public static Task RunGroupAsync(this IExecutor executor, Func<TaskGroup, Task> body, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(executor);
        ArgumentNullException.ThrowIfNull(body);
        return new TaskGroup(executor, cancellationToken).RunAsync(body);
    }
}
