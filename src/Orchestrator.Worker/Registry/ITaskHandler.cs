namespace Orchestrator.Worker;

/// <summary>
/// A handler as a class, made by dependency injection. Registered as a singleton it is made once per worker process;
/// registered scoped or transient, each task gets its own scope.
/// </summary>
public interface ITaskHandler<TIn, TOut>
{
    /// <summary>Runs one task. What it throws fails the task, see <see cref="InvalidInputException"/> for wrong input.</summary>
    Task<TOut> RunAsync(TIn input, TaskContext context, CancellationToken cancellationToken);
}
