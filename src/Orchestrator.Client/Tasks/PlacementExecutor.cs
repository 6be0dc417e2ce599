namespace Orchestrator.Client.Tasks;

/// <summary>An executor that runs all its tasks in one placement.</summary>
internal sealed class PlacementExecutor(IExecutor inner, TaskPlacement place) : IExecutor
{
    public Task<TaskHandle<TOut>> SubmitAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, TIn input, RunOptions? options, CancellationToken cancellationToken) =>
        inner.SubmitAsync(function, input, Place(options), cancellationToken);

    public Task<TOut> RunAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, TIn input, RunOptions? options, CancellationToken cancellationToken) =>
        inner.RunAsync(function, input, Place(options), cancellationToken);

    public IAsyncEnumerable<TOut> MapAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IAsyncEnumerable<TIn> inputs, MapOptions? options, CancellationToken cancellationToken) =>
        inner.MapAsync(function, inputs, Place(options), cancellationToken);

    public IAsyncEnumerable<TOut> MapAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IEnumerable<TIn> inputs, MapOptions? options, CancellationToken cancellationToken) =>
        inner.MapAsync(function, inputs, Place(options), cancellationToken);

    public IAsyncEnumerable<TaskOutcome<TOut>> MapOutcomesAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IAsyncEnumerable<TIn> inputs, MapOptions? options, CancellationToken cancellationToken) =>
        inner.MapOutcomesAsync(function, inputs, Place(options), cancellationToken);

    private RunOptions Place(RunOptions? options) => (options ?? RunOptions.Default) with { Placement = place };

    private MapOptions Place(MapOptions? options)
    {
        options ??= new MapOptions();
        return options with { Task = Place(options.Task) };
    }
}

/// <summary>Selects where tasks run.</summary>
public static class ExecutorPlacementExtensions
{
    /// <summary>
    /// The same executor with all its tasks in one placement, to compare in-process and cross-process execution by changing one word.
    /// </summary>
    public static IExecutor WithPlacement(this IExecutor executor, TaskPlacement place)
    {
        ArgumentNullException.ThrowIfNull(executor);
        if (!Enum.IsDefined(place))
            throw new ArgumentOutOfRangeException(
                nameof(place), place, "A place is CrossProcess, InProcess, InProcessAsync or InProcessSequential.");
        return new PlacementExecutor(executor, place);
    }
}
