using System.Runtime.CompilerServices;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Tasks;
using Orchestrator.Client.Tasks.Streams;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <content>Tasks as futures and as maps, over streams that are reopened when they break.</content>
public sealed partial class OrchestratorClient
{
    private readonly TaskCalls _calls;
    private readonly TaskStreamPool _streams;

    internal OrchestratorClientOptions Options { get; }

    /// <inheritdoc/>
    public async Task<TaskHandle<TOut>> SubmitAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, TIn input, RunOptions? options = null, CancellationToken cancellationToken = default)
    {
        var (completion, stream, tag) = await HandOverAsync(function, input, options, cancellationToken).ConfigureAwait(false);
        try
        {
            await completion.Accepted.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            stream.Cancel(tag, completion);
            throw;
        }

        return new TaskHandle<TOut>(_calls, new TaskEvents(_calls, stream), function.Name, completion, function.Decode);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<ulong>> CancelAsync(
        IEnumerable<ulong> taskIds, bool force = false, CancellationToken cancellationToken = default) =>
        Contract.CancelAsync(taskIds, force, cancellationToken);

    /// <inheritdoc/>
    public async Task<TOut> RunAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, TIn input, RunOptions? options = null, CancellationToken cancellationToken = default)
    {
        var (completion, stream, tag) = await HandOverAsync(function, input, options, cancellationToken).ConfigureAwait(false);
        try
        {
            var result = await completion.Result.WaitAsync(cancellationToken).ConfigureAwait(false);
            return TaskOutputs.Read(function.Decode, result, function.Name);
        }
        catch (OperationCanceledException) when (!completion.Result.IsCompleted)
        {
            stream.Cancel(tag, completion);
            throw;
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<TOut> MapAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IAsyncEnumerable<TIn> inputs, MapOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return OutputsAsync(function, options, operation => operation.Start(inputs), cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<TOut> MapAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IEnumerable<TIn> inputs, MapOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return OutputsAsync(function, options, operation => operation.Start(inputs), cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<TaskOutcome<TOut>> MapOutcomesAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function,
        IAsyncEnumerable<TIn> inputs,
        MapOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var operation = NewMap(function, options, cancellationToken);
        await using var disposing = operation.ConfigureAwait(false);
        operation.Start(inputs);
        var batch = MapOperation<TIn, TOut>.NewBatch();
        while (await operation.TakeAsync(batch, cancellationToken).ConfigureAwait(false) is { Count: > 0 } taken)
        {
            for (var i = 0; i < taken.Count; i++)
                yield return operation.ReadOutcome(batch[i]);
        }
    }

    private async IAsyncEnumerable<TOut> OutputsAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function,
        MapOptions? options,
        Action<MapOperation<TIn, TOut>> start,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var operation = NewMap(function, options, cancellationToken);
        await using var disposing = operation.ConfigureAwait(false);
        start(operation);
        var batch = MapOperation<TIn, TOut>.NewBatch();
        while (await operation.TakeAsync(batch, cancellationToken).ConfigureAwait(false) is { Count: > 0 } taken)
        {
            for (var i = 0; i < taken.Count; i++)
                yield return operation.Read(batch[i]);
        }
    }

    private MapOperation<TIn, TOut> NewMap<TIn, TOut>(
        TaskFunction<TIn, TOut> function, MapOptions? options, CancellationToken cancellationToken) =>
        new(function, _streams.Pick(), options ?? new MapOptions(), cancellationToken);

    private async ValueTask<(TaskCompletion Completion, ResilientTaskStream Stream, ulong Tag)> HandOverAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, TIn input, RunOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(function);
        cancellationToken.ThrowIfCancellationRequested();
        options ??= RunOptions.Default;
        using var span = SubmitTrace.Start(function.Name);
        var completion = new TaskCompletion { ResubmitWhenLost = options.ResubmitWhenLost };
        var spec = new TaskSpec
        {
            Handler = function.Name,
            Input = function.Encode(input),
            Options = options.ToMessage(),
            RequestId = options.RequestId,
            Traceparent = SubmitTrace.ParentOf(span),
        };
        var stream = _streams.Pick();
        try
        {
            return (completion, stream, await stream.SubmitAsync(completion, 0, spec, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception exception) when (span is not null)
        {
            span.SetStatus(System.Diagnostics.ActivityStatusCode.Error, exception.Message);
            throw;
        }
    }
}
