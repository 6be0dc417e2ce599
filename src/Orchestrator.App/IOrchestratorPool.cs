using Orchestrator.Client;
using Orchestrator.Client.Tasks;

namespace Orchestrator.App;

/// <summary>
/// The pool of a program that is both coordinator and workers, like Python's <c>ProcessPoolExecutor</c>. Use
/// <see cref="ExecutorPlacementExtensions.WithPlacement"/> to run the same handlers in this process.
/// </summary>
public interface IOrchestratorPool : IExecutor
{
    /// <summary>
    /// The connection to the pool's coordinator: sessions, queues, locks, status. An <see cref="OrchestratorClient"/>, unless the pool is a
    /// test's own.
    /// </summary>
    IOrchestratorClient Client { get; }

    Task<TaskHandle<TOut>> IExecutor.SubmitAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, TIn input, RunOptions? options, CancellationToken cancellationToken) =>
        Client.SubmitAsync(function, input, options, cancellationToken);

    Task<TOut> IExecutor.RunAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, TIn input, RunOptions? options, CancellationToken cancellationToken) =>
        Client.RunAsync(function, input, options, cancellationToken);

    IAsyncEnumerable<TOut> IExecutor.MapAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IAsyncEnumerable<TIn> inputs, MapOptions? options, CancellationToken cancellationToken) =>
        Client.MapAsync(function, inputs, options, cancellationToken);

    IAsyncEnumerable<TOut> IExecutor.MapAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IEnumerable<TIn> inputs, MapOptions? options, CancellationToken cancellationToken) =>
        Client.MapAsync(function, inputs, options, cancellationToken);

    IAsyncEnumerable<TaskOutcome<TOut>> IExecutor.MapOutcomesAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IAsyncEnumerable<TIn> inputs, MapOptions? options, CancellationToken cancellationToken) =>
        Client.MapOutcomesAsync(function, inputs, options, cancellationToken);
}
