using System.Diagnostics.CodeAnalysis;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Tasks;

namespace Orchestrator.Client.Synchronous;

/// <summary>Tasks for code that cannot wait asynchronously: each method holds its thread until the answer.</summary>
/// <remarks>Errors are those of the asynchronous methods. Safe on any thread, also one with a synchronization context.</remarks>
public static class SynchronousTasks
{
    /// <summary>Runs a task and returns its output. Cancelling the wait cancels the task.</summary>
    public static TOut Run<TIn, TOut>(
        this IExecutor executor, TaskFunction<TIn, TOut> function, TIn input, RunOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(executor);
        return Blocking.Wait(executor.RunAsync(function, input, options, cancellationToken));
    }

    /// <summary>Runs a task by its handler's name, with JSON by reflection.</summary>
    [RequiresUnreferencedCode(TaskFunction.NeedsReflection)]
    [RequiresDynamicCode(TaskFunction.NeedsReflection)]
    public static T Run<T>(
        this IExecutor executor, string handler, object? input = null, RunOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(executor);
        return Blocking.Wait(executor.RunAsync<T>(handler, input, options, cancellationToken));
    }

    /// <summary>Runs a task for each input, and yields the outputs in the order of the inputs; see <see cref="IExecutor"/>.</summary>
    public static IEnumerable<TOut> Map<TIn, TOut>(
        this IExecutor executor, TaskFunction<TIn, TOut> function, IEnumerable<TIn> inputs, MapOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(executor);
        return Blocking.Enumerate(executor.MapAsync(function, inputs, options, cancellationToken));
    }

    /// <summary>Waits for the output of a submitted task; cancelling gives up the wait, and not the task.</summary>
    public static T Wait<T>(this TaskHandle<T> handle, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return Blocking.Wait(handle.AsTask().WaitAsync(cancellationToken));
    }
}
