using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks;

/// <summary>
/// Runs tasks: a client of a coordinator, an embedded pool, or a group of either. The overloads by handler name are in
/// <see cref="ExecutorExtensions"/>.
/// </summary>
public interface IExecutor
{
    /// <summary>Submits a task and returns once it is accepted. Waits while there is no room.</summary>
    /// <param name="function">The handler.</param>
    /// <param name="input">Its input.</param>
    /// <param name="options">How it is run; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up the submission.</param>
    /// <exception cref="CoordinatorUnavailableException">No coordinator was reached within
    /// <see cref="OrchestratorClientOptions.ReconnectFor"/>.</exception>
    Task<TaskHandle<TOut>> SubmitAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, TIn input, RunOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Runs a task and returns its output. Cancelling the wait cancels the task.</summary>
    /// <exception cref="TaskFailedException">The handler failed; see <see cref="TaskHandle{T}.GetAwaiter"/> for the other
    /// outcomes.</exception>
    Task<TOut> RunAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, TIn input, RunOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs a task for each input and yields the outputs. The first failure ends the map with its exception and cancels the rest; leaving
    /// the loop also cancels the rest. Inputs are read as results are taken, so an endless input runs in bounded memory.
    /// </summary>
    IAsyncEnumerable<TOut> MapAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IAsyncEnumerable<TIn> inputs, MapOptions? options = null,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// As <see cref="MapAsync{TIn, TOut}(TaskFunction{TIn, TOut}, IAsyncEnumerable{TIn}, MapOptions?, CancellationToken)"/>, over inputs in
    /// memory or from a generator.
    /// </summary>
    IAsyncEnumerable<TOut> MapAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IEnumerable<TIn> inputs, MapOptions? options = null,
        CancellationToken cancellationToken = default);

    /// <summary>Like MapAsync, but yields the outcome of each input, success or failure; a failure does not end the map.</summary>
    IAsyncEnumerable<TaskOutcome<TOut>> MapOutcomesAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IAsyncEnumerable<TIn> inputs, MapOptions? options = null,
        CancellationToken cancellationToken = default);
}

/// <summary>How one input of a map ended.</summary>
/// <param name="Index">The index of the input, from 0.</param>
/// <param name="Error">Why the task did not succeed; null if it did.</param>
/// <param name="Result">The result as the coordinator returned it; null if it was lost.</param>
public sealed record TaskOutcome<T>(long Index, Exception? Error, TaskResult? Result)
{
    private readonly T? _output;

    internal TaskOutcome(long index, T output, TaskResult result)
        : this(index, null, result) => _output = output;

    /// <summary>Whether there is an output.</summary>
    public bool Succeeded => Error is null;

    /// <summary>The output; throws the error if there is none.</summary>
    public T Output => Error is null ? _output! : throw Error;
}
