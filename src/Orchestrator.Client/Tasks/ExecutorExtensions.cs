using System.Diagnostics.CodeAnalysis;

namespace Orchestrator.Client.Tasks;

/// <summary>
/// Tasks by handler name, with JSON by reflection. <c>byte[]</c>, <c>ReadOnlyMemory&lt;byte&gt;</c> and <c>Payload</c> are sent
/// unchanged. In trimmed or AOT-compiled programs, use <see cref="TaskFunction"/>s instead.
/// </summary>
[RequiresUnreferencedCode(TaskFunction.NeedsReflection)]
[RequiresDynamicCode(TaskFunction.NeedsReflection)]
public static class ExecutorExtensions
{
    /// <summary>Submits a task and returns once it is accepted.</summary>
    /// <param name="executor">The executor that runs it.</param>
    /// <param name="handler">The handler's name.</param>
    /// <param name="input">Its input; may be an anonymous object.</param>
    /// <param name="options">How it is run; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up the submission.</param>
    public static Task<TaskHandle<T>> SubmitAsync<T>(
        this IExecutor executor, string handler, object? input = null, RunOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(executor);
        return executor.SubmitAsync(TaskFunction.Json<object?, T>(handler), input, options, cancellationToken);
    }

    /// <summary>Runs a task and returns its output. Cancelling the wait cancels the task.</summary>
    public static Task<T> RunAsync<T>(
        this IExecutor executor, string handler, object? input = null, RunOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(executor);
        return executor.RunAsync(TaskFunction.Json<object?, T>(handler), input, options, cancellationToken);
    }

    /// <summary>Runs a task for each input; see <see cref="IExecutor"/>.</summary>
    public static IAsyncEnumerable<TOut> MapAsync<TIn, TOut>(
        this IExecutor executor, string handler, IEnumerable<TIn> inputs, MapOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(executor);
        return executor.MapAsync(TaskFunction.Json<TIn, TOut>(handler), inputs, options, cancellationToken);
    }

    /// <summary>Runs a task for each input; see <see cref="IExecutor"/>.</summary>
    public static IAsyncEnumerable<TOut> MapAsync<TIn, TOut>(
        this IExecutor executor, string handler, IAsyncEnumerable<TIn> inputs, MapOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(executor);
        return executor.MapAsync(TaskFunction.Json<TIn, TOut>(handler), inputs, options, cancellationToken);
    }

    /// <summary>Runs a task for each input and yields the outcome of each; see <see cref="IExecutor"/>.</summary>
    public static IAsyncEnumerable<TaskOutcome<TOut>> MapOutcomesAsync<TIn, TOut>(
        this IExecutor executor, string handler, IEnumerable<TIn> inputs, MapOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(executor);
        return executor.MapOutcomesAsync(TaskFunction.Json<TIn, TOut>(handler), inputs.ToAsyncEnumerable(), options, cancellationToken);
    }
}
