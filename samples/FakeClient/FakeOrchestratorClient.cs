using System.Runtime.CompilerServices;
using Orchestrator.Client;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Tasks;

namespace FakeClient;

/// <summary>A client that runs handlers in this process: what the tested code uses works, the rest is not supported.</summary>
internal sealed class FakeOrchestratorClient : IOrchestratorClient
{
    private readonly Dictionary<string, Func<object?, Task<object?>>> _handlers = [];
    private ulong _tasks;

    public bool IsConnected => true;

    public FakeSession Session { get; } = new();

    /// <summary>The ids of the tasks that were cancelled.</summary>
    public List<ulong> Cancelled { get; } = [];

    /// <summary>What a handler does.</summary>
    public void Handle(string handler, Func<object?, Task<object?>> run) => _handlers[handler] = run;

    public Task<TaskHandle<TOut>> SubmitAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, TIn input, RunOptions? options = null, CancellationToken cancellationToken = default)
    {
        var id = ++_tasks;
        var ending = new TaskCompletionSource<TOut>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = CompleteAsync();
        return Task.FromResult(new TaskHandle<TOut>(ending.Task, function.Name, id, (_, _) =>
        {
            Cancelled.Add(id);
            ending.TrySetCanceled(CancellationToken.None);
            return Task.CompletedTask;
        }));

        async Task CompleteAsync()
        {
            try
            {
                ending.TrySetResult((TOut)(await _handlers[function.Name](input))!);
            }
            catch (Exception exception)
            {
                ending.TrySetException(exception);
            }
        }
    }

    public async Task<TOut> RunAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, TIn input, RunOptions? options = null, CancellationToken cancellationToken = default) =>
        await await SubmitAsync(function, input, options, cancellationToken);

    public IAsyncEnumerable<TOut> MapAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IEnumerable<TIn> inputs, MapOptions? options = null,
        CancellationToken cancellationToken = default) =>
        MapAsync(function, inputs.ToAsyncEnumerable(), options, cancellationToken);

    public async IAsyncEnumerable<TOut> MapAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IAsyncEnumerable<TIn> inputs, MapOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var input in inputs.WithCancellation(cancellationToken))
            yield return await RunAsync(function, input, options?.Task, cancellationToken);
    }

    public async IAsyncEnumerable<TaskOutcome<TOut>> MapOutcomesAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IAsyncEnumerable<TIn> inputs, MapOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var index = 0L;
        await foreach (var input in inputs.WithCancellation(cancellationToken))
            yield return await OutcomeAsync(index++, function, input, options, cancellationToken);
    }

    private async Task<TaskOutcome<TOut>> OutcomeAsync<TIn, TOut>(
        long index, TaskFunction<TIn, TOut> function, TIn input, MapOptions? options, CancellationToken cancellationToken)
    {
        try
        {
            return new TaskOutcome<TOut>(index, await RunAsync(function, input, options?.Task, cancellationToken));
        }
        catch (Exception exception)
        {
            return new TaskOutcome<TOut>(index, exception);
        }
    }

    public Task<CoordinationSession> OpenSessionAsync(
        string displayName = "", TimeSpan? ttl = null, CancellationToken cancellationToken = default) =>
        Task.FromResult<CoordinationSession>(Session);

    public Task<IReadOnlyList<ulong>> CancelAsync(
        IEnumerable<ulong> taskIds, bool force = false, CancellationToken cancellationToken = default) => throw Unused();

    public Task<QueueStatus> CreateQueueAsync(
        string queue, QueueOptions? options = null, CancellationToken cancellationToken = default) => throw Unused();

    public Task<QueueStatus> GetQueueAsync(string queue, CancellationToken cancellationToken = default) => throw Unused();

    public Task<IReadOnlyList<QueueStatus>> ListQueuesAsync(CancellationToken cancellationToken = default) => throw Unused();

    public Task<long> ShutDownQueueAsync(string queue, bool immediate = false, CancellationToken cancellationToken = default) =>
        throw Unused();

    public Task DeleteQueueAsync(string queue, CancellationToken cancellationToken = default) => throw Unused();

    public Task CreatePipeAsync(string pipe, PipeOptions? options = null, CancellationToken cancellationToken = default) =>
        throw Unused();

    public Task CreateRateLimiterAsync(
        string rateLimiter, RateLimiterOptions options, CancellationToken cancellationToken = default) => throw Unused();

    public Task DeleteRateLimiterAsync(string rateLimiter, CancellationToken cancellationToken = default) => throw Unused();

    public Task<CoordinatorStatus> GetStatusAsync(CancellationToken cancellationToken = default) => throw Unused();

    public IAsyncEnumerable<CoordinatorStatus> WatchStatusAsync(TimeSpan interval, CancellationToken cancellationToken = default) =>
        throw Unused();

    public Task<int> ScaleWorkersAsync(int workers, string? group = null, CancellationToken cancellationToken = default) =>
        throw Unused();

    public Task<int> RecycleWorkersAsync(
        string? worker = null, string? group = null, CancellationToken cancellationToken = default) => throw Unused();

    public Task<long> DrainAsync(TimeSpan? timeout, bool stop, CancellationToken cancellationToken = default) => throw Unused();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static NotSupportedException Unused() => new("The tested code does not call this.");
}
