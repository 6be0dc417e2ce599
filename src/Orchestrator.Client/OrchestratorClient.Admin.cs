using System.Runtime.CompilerServices;

namespace Orchestrator.Client;

/// <content>Administration.</content>
public sealed partial class OrchestratorClient
{
    /// <inheritdoc/>
    public async Task<CoordinatorStatus> GetStatusAsync(CancellationToken cancellationToken = default) =>
        CoordinatorStatus.From(await Contract.GetStatusAsync(cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public async IAsyncEnumerable<CoordinatorStatus> WatchStatusAsync(
        TimeSpan interval, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var status in Contract.WatchStatusAsync(interval, cancellationToken).ConfigureAwait(false))
            yield return CoordinatorStatus.From(status);
    }

    /// <inheritdoc/>
    public Task<int> ScaleWorkersAsync(int workers, string? group = null, CancellationToken cancellationToken = default) =>
        Contract.ScaleWorkersAsync(workers, group, cancellationToken);

    /// <inheritdoc/>
    public Task<int> RecycleWorkersAsync(
        string? worker = null, string? group = null, CancellationToken cancellationToken = default) =>
        Contract.RecycleWorkersAsync(worker, group, cancellationToken);

    /// <inheritdoc/>
    public Task<long> DrainAsync(TimeSpan? timeout, bool stop, CancellationToken cancellationToken = default) =>
        Contract.DrainAsync(timeout, stop, cancellationToken);
}
