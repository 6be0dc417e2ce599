using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
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
/// <typeparam name="T">The output.</typeparam>
public sealed record TaskOutcome<T>
{
    private readonly T? _output;
    private readonly TaskResult? _result;

    /// <summary>An output.</summary>
    /// <param name="index">The index of the input, from 0.</param>
    /// <param name="output">The output.</param>
    public TaskOutcome(long index, T output) => (Index, _output) = (index, output);

    /// <summary>A failure.</summary>
    /// <param name="index">The index of the input, from 0.</param>
    /// <param name="error">Why the task did not succeed.</param>
    public TaskOutcome(long index, Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        (Index, Error) = (index, error);
    }

    internal TaskOutcome(long index, T? output, Exception? error, TaskResult result) =>
        (Index, _output, Error, _result) = (index, output, error, result);

    /// <summary>The index of the input, from 0.</summary>
    public long Index { get; }

    /// <summary>Why the task did not succeed; null if it did.</summary>
    public Exception? Error { get; }

    /// <summary>The result as the coordinator returned it; null if it was lost.</summary>
    public RunResult? Result => _result is null ? null : RunResult.From(_result);

    /// <summary>Whether there is an output.</summary>
    public bool Succeeded => Error is null;

    /// <summary>The output; throws the error if there is none.</summary>
    public T Output => Error is null ? _output! : throw Error;
}
