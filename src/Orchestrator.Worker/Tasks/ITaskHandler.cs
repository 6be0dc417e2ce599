using Orchestrator.Worker.Payloads;

namespace Orchestrator.Worker.Tasks;

/// <summary>
/// A handler as a class, created by dependency injection. Registered as a singleton it is created once per worker process; registered
/// scoped or transient, each task gets its own scope.
/// </summary>
public interface ITaskHandler<TIn, TOut>
{
    /// <summary>Runs one task. An exception fails the task, see <see cref="InvalidInputException"/> for wrong input.</summary>
    Task<TOut> RunAsync(TIn input, TaskContext context, CancellationToken cancellationToken);
}
