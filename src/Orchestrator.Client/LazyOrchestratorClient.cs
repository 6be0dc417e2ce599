using System.Runtime.CompilerServices;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Tasks;

namespace Orchestrator.Client;

/// <summary>A client that connects at its first call.</summary>
/// <param name="connect">Connects.</param>
internal sealed class LazyOrchestratorClient(Func<CancellationToken, Task<OrchestratorClient>> connect) : IOrchestratorClient
{
    private readonly CancellationTokenSource _disposing = new();
    private readonly Lock _gate = new();
    private Task<OrchestratorClient>? _client;
    private Task? _closing;

    public bool IsConnected => Volatile.Read(ref _client) is { IsCompletedSuccessfully: true } client && Now(client).IsConnected;

    public async Task<TaskHandle<TOut>> SubmitAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, TIn input, RunOptions? options = null, CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false))
            .SubmitAsync(function, input, options, cancellationToken).ConfigureAwait(false);

    public async Task<TOut> RunAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, TIn input, RunOptions? options = null, CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false))
            .RunAsync(function, input, options, cancellationToken).ConfigureAwait(false);

    public IAsyncEnumerable<TOut> MapAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IAsyncEnumerable<TIn> inputs, MapOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return ItemsAsync((client, token) => client.MapAsync(function, inputs, options, token), cancellationToken);
    }

    public IAsyncEnumerable<TOut> MapAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IEnumerable<TIn> inputs, MapOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return ItemsAsync((client, token) => client.MapAsync(function, inputs, options, token), cancellationToken);
    }

    public IAsyncEnumerable<TaskOutcome<TOut>> MapOutcomesAsync<TIn, TOut>(
        TaskFunction<TIn, TOut> function, IAsyncEnumerable<TIn> inputs, MapOptions? options = null,
        CancellationToken cancellationToken = default) =>
        ItemsAsync((client, token) => client.MapOutcomesAsync(function, inputs, options, token), cancellationToken);

    public async Task<IReadOnlyList<ulong>> CancelAsync(
        IEnumerable<ulong> taskIds, bool force = false, CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false))
            .CancelAsync(taskIds, force, cancellationToken).ConfigureAwait(false);

    public async Task<CoordinationSession> OpenSessionAsync(
        string displayName = "", TimeSpan? ttl = null, CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false))
            .OpenSessionAsync(displayName, ttl, cancellationToken).ConfigureAwait(false);

    public async Task<QueueStatus> CreateQueueAsync(
        string queue, QueueOptions? options = null, CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false))
            .CreateQueueAsync(queue, options, cancellationToken).ConfigureAwait(false);

    public async Task<QueueStatus> GetQueueAsync(string queue, CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false)).GetQueueAsync(queue, cancellationToken).ConfigureAwait(false);

    public async Task<IReadOnlyList<QueueStatus>> ListQueuesAsync(CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false)).ListQueuesAsync(cancellationToken).ConfigureAwait(false);

    public async Task<long> ShutDownQueueAsync(string queue, bool immediate = false, CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false))
            .ShutDownQueueAsync(queue, immediate, cancellationToken).ConfigureAwait(false);

    public async Task DeleteQueueAsync(string queue, CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false)).DeleteQueueAsync(queue, cancellationToken).ConfigureAwait(false);

    public async Task CreatePipeAsync(string pipe, PipeOptions? options = null, CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false))
            .CreatePipeAsync(pipe, options, cancellationToken).ConfigureAwait(false);

    public async Task CreateRateLimiterAsync(
        string rateLimiter, RateLimiterOptions options, CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false))
            .CreateRateLimiterAsync(rateLimiter, options, cancellationToken).ConfigureAwait(false);

    public async Task DeleteRateLimiterAsync(string rateLimiter, CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false))
            .DeleteRateLimiterAsync(rateLimiter, cancellationToken).ConfigureAwait(false);

    public async Task<CoordinatorStatus> GetStatusAsync(CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false)).GetStatusAsync(cancellationToken).ConfigureAwait(false);

    public IAsyncEnumerable<CoordinatorStatus> WatchStatusAsync(TimeSpan interval, CancellationToken cancellationToken = default) =>
        ItemsAsync((client, token) => client.WatchStatusAsync(interval, token), cancellationToken);

    public async Task<int> ScaleWorkersAsync(int workers, string? group = null, CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false))
            .ScaleWorkersAsync(workers, group, cancellationToken).ConfigureAwait(false);

    public async Task<int> RecycleWorkersAsync(
        string? worker = null, string? group = null, CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false))
            .RecycleWorkersAsync(worker, group, cancellationToken).ConfigureAwait(false);

    public async Task<long> DrainAsync(TimeSpan? timeout, bool stop, CancellationToken cancellationToken = default) =>
        await (await ClientAsync(cancellationToken).ConfigureAwait(false))
            .DrainAsync(timeout, stop, cancellationToken).ConfigureAwait(false);

    public ValueTask DisposeAsync()
    {
        lock (_gate)
            return new ValueTask(_closing ??= CloseAsync(_client));
    }

    private async Task CloseAsync(Task<OrchestratorClient>? connecting)
    {
        // Continue outside the lock that the starting caller holds.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await _disposing.CancelAsync().ConfigureAwait(false);
        if (connecting is not null)
        {
            await ((Task)connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (connecting.IsCompletedSuccessfully)
                await Now(connecting).DisposeAsync().ConfigureAwait(false);
        }

        _disposing.Dispose();
    }

    private async IAsyncEnumerable<T> ItemsAsync<T>(
        Func<OrchestratorClient, CancellationToken, IAsyncEnumerable<T>> read,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var client = await ClientAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var item in read(client, cancellationToken).ConfigureAwait(false))
            yield return item;
    }

    /// <summary>The client. Callers share one attempt to connect, which goes on when one of them gives up.</summary>
    private ValueTask<OrchestratorClient> ClientAsync(CancellationToken cancellationToken)
    {
        Task<OrchestratorClient> client;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closing is not null, typeof(IOrchestratorClient));
            // After a failure, which its callers have seen, the next call tries again.
            if (_client is null || _client.IsFaulted || _client.IsCanceled)
                _client = Task.Run(() => connect(_disposing.Token), CancellationToken.None);
            client = _client;
        }

        return client.IsCompletedSuccessfully
            ? new ValueTask<OrchestratorClient>(Now(client))
            : new ValueTask<OrchestratorClient>(client.WaitAsync(cancellationToken));
    }

    // The connection has been made, so nothing blocks.
#pragma warning disable VSTHRD002, VSTHRD104
    private static OrchestratorClient Now(Task<OrchestratorClient> client) => client.Result;
#pragma warning restore VSTHRD002, VSTHRD104
}
