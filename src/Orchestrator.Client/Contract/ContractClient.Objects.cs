using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Client.Contract;

/// <content>Creating, listing and deleting shared objects.</content>
public sealed partial class ContractClient
{
    private const int PageSize = 1_000;

    /// <summary>Creates a queue, or returns the existing one if its whole specification agrees.</summary>
    /// <exception cref="OrchestratorException">With KIND_MISMATCH, if it exists with another specification.</exception>
    public async Task<QueueInfo> CreateQueueAsync(QueueSpec spec, CancellationToken cancellationToken = default) =>
        (await CallAsync(
            _objects.Queues.CreateQueueAsync(new CreateQueueRequest { Spec = spec }, cancellationToken: cancellationToken))
                .ConfigureAwait(false)).Queue;

    /// <summary>The current state of a queue.</summary>
    /// <exception cref="OrchestratorException">With NOT_FOUND, if it does not exist.</exception>
    public async Task<QueueInfo> GetQueueAsync(string queue, CancellationToken cancellationToken = default) =>
        (await CallAsync(_objects.Queues.GetQueueAsync(new GetQueueRequest { Queue = queue }, cancellationToken: cancellationToken))
            .ConfigureAwait(false)).Queue;

    /// <summary>Every queue, ordered by name.</summary>
    public Task<IReadOnlyList<QueueInfo>> ListQueuesAsync(CancellationToken cancellationToken = default) =>
        PagesAsync<QueueInfo>(async token =>
    {
        var page = await CallAsync(_objects.Queues.ListQueuesAsync(
            new ListQueuesRequest { PageSize = PageSize, PageToken = token }, cancellationToken: cancellationToken)).ConfigureAwait(false);
        return (page.Queues, page.NextPageToken);
    });

    /// <summary>The items that the queue would deliver next; none of them is delivered.</summary>
    /// <param name="queue">Its name.</param>
    /// <param name="maximum">How many, 1 to 20.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<IReadOnlyList<QueueItem>> PeekQueueAsync(
        string queue, int maximum = 10, CancellationToken cancellationToken = default) =>
        (await CallAsync(_objects.Queues.PeekQueueAsync(
            new PeekQueueRequest { Queue = queue, MaxItems = maximum }, cancellationToken: cancellationToken)).ConfigureAwait(false)).Items;

    /// <summary>Shuts the queue down: it takes no more items, and gets drain it. Returns the number of dropped items.</summary>
    /// <param name="queue">Its name.</param>
    /// <param name="immediate">Also drop the queued items.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<long> ShutDownQueueAsync(string queue, bool immediate = false, CancellationToken cancellationToken = default) =>
        (await CallAsync(_objects.Queues.ShutDownQueueAsync(
            new ShutDownQueueRequest { Queue = queue, Immediate = immediate }, cancellationToken: cancellationToken))
                .ConfigureAwait(false)).DroppedItems;

    /// <summary>Deletes a queue and its items; its waiters fail because it is shut down.</summary>
    public Task DeleteQueueAsync(string queue, CancellationToken cancellationToken = default) =>
        CallAsync(_objects.Queues.DeleteQueueAsync(new DeleteQueueRequest { Queue = queue }, cancellationToken: cancellationToken));

    /// <summary>Creates a pipe, or returns the existing one if its whole specification agrees.</summary>
    /// <exception cref="OrchestratorException">With KIND_MISMATCH, if it exists with another specification.</exception>
    public async Task<PipeInfo> CreatePipeAsync(PipeSpec spec, CancellationToken cancellationToken = default) =>
        (await CallAsync(_objects.Pipes.CreatePipeAsync(new CreatePipeRequest { Spec = spec }, cancellationToken: cancellationToken))
            .ConfigureAwait(false)).Pipe;

    /// <summary>Every pipe, ordered by name.</summary>
    public Task<IReadOnlyList<PipeInfo>> ListPipesAsync(CancellationToken cancellationToken = default) =>
        PagesAsync<PipeInfo>(async token =>
    {
        var page = await CallAsync(_objects.Pipes.ListPipesAsync(
            new ListPipesRequest { PageSize = PageSize, PageToken = token }, cancellationToken: cancellationToken)).ConfigureAwait(false);
        return (page.Pipes, page.NextPageToken);
    });

    /// <summary>
    /// Closes an end of a pipe, regardless of its owner: for pipes whose users have disappeared. Closing both ends deletes the pipe.
    /// </summary>
    public Task ClosePipeEndAsync(string pipe, PipeEnd end, CancellationToken cancellationToken = default) =>
        CallAsync(
            _objects.Pipes.ClosePipeEndAsync(new ClosePipeEndRequest { Pipe = pipe, End = end }, cancellationToken: cancellationToken));

    /// <summary>Every dict, list, value and array of the given kind, or of all kinds if none is given.</summary>
    public Task<IReadOnlyList<StateInfo>> ListStateAsync(
        StateKind kind = StateKind.Unspecified, CancellationToken cancellationToken = default) => PagesAsync<StateInfo>(async token =>
    {
        var page = await CallAsync(_objects.State.ListStateAsync(
            new ListStateRequest { Kind = kind, PageSize = PageSize, PageToken = token }, cancellationToken: cancellationToken))
                .ConfigureAwait(false);
        return (page.Objects, page.NextPageToken);
    });

    /// <summary>Deletes a dict, list, value or array.</summary>
    public Task DeleteStateAsync(StateKind kind, string name, CancellationToken cancellationToken = default) =>
        _objects.DeleteAsync(kind, name, cancellationToken);

    /// <summary>Creates a rate limiter, or returns the existing one if its whole specification agrees.</summary>
    /// <exception cref="OrchestratorException">With KIND_MISMATCH, if it exists with another specification.</exception>
    public async Task<RateLimiterSpec> CreateRateLimiterAsync(RateLimiterSpec spec, CancellationToken cancellationToken = default) =>
        (await CallAsync(
            _objects.Sync.CreateRateLimiterAsync(new CreateRateLimiterRequest { Spec = spec }, cancellationToken: cancellationToken))
                .ConfigureAwait(false)).Spec;

    /// <summary>Deletes a rate limiter; waiters for its permits fail.</summary>
    /// <exception cref="OrchestratorException">With NOT_FOUND, if it does not exist.</exception>
    public Task DeleteRateLimiterAsync(string rateLimiter, CancellationToken cancellationToken = default) =>
        CallAsync(_objects.Sync.DeleteRateLimiterAsync(
            new DeleteRateLimiterRequest { RateLimiter = rateLimiter }, cancellationToken: cancellationToken));

    private static async Task<IReadOnlyList<T>> PagesAsync<T>(Func<string, Task<(IEnumerable<T> Items, string Next)>> read)
    {
        var all = new List<T>();
        var token = "";
        do
        {
            var (items, next) = await read(token).ConfigureAwait(false);
            all.AddRange(items);
            token = next;
        }
        while (token.Length > 0);
        return all;
    }
}
