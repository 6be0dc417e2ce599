using Orchestrator.Client.Objects;

namespace Orchestrator.Client;

/// <content>Creating, listing and deleting shared objects.</content>
public sealed partial class OrchestratorClient
{
    /// <inheritdoc/>
    public async Task<QueueStatus> CreateQueueAsync(
        string queue, QueueOptions? options = null, CancellationToken cancellationToken = default) =>
        QueueStatus.From(await Contract.CreateQueueAsync((options ?? new QueueOptions()).ToMessage(queue), cancellationToken)
            .ConfigureAwait(false));

    /// <inheritdoc/>
    public async Task<QueueStatus> GetQueueAsync(string queue, CancellationToken cancellationToken = default) =>
        QueueStatus.From(await Contract.GetQueueAsync(queue, cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public async Task<IReadOnlyList<QueueStatus>> ListQueuesAsync(CancellationToken cancellationToken = default) =>
        [.. (await Contract.ListQueuesAsync(cancellationToken).ConfigureAwait(false)).Select(QueueStatus.From)];

    /// <inheritdoc/>
    public Task<long> ShutDownQueueAsync(string queue, bool immediate = false, CancellationToken cancellationToken = default) =>
        Contract.ShutDownQueueAsync(queue, immediate, cancellationToken);

    /// <inheritdoc/>
    public Task DeleteQueueAsync(string queue, CancellationToken cancellationToken = default) =>
        Contract.DeleteQueueAsync(queue, cancellationToken);

    /// <inheritdoc/>
    public Task CreatePipeAsync(string pipe, PipeOptions? options = null, CancellationToken cancellationToken = default) =>
        Contract.CreatePipeAsync((options ?? new PipeOptions()).ToMessage(pipe), cancellationToken);

    /// <inheritdoc/>
    public Task CreateRateLimiterAsync(
        string rateLimiter, RateLimiterOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Contract.CreateRateLimiterAsync(options.ToMessage(rateLimiter), cancellationToken);
    }

    /// <inheritdoc/>
    public Task DeleteRateLimiterAsync(string rateLimiter, CancellationToken cancellationToken = default) =>
        Contract.DeleteRateLimiterAsync(rateLimiter, cancellationToken);
}
