using Orchestrator.V1;

namespace Orchestrator.Client;

/// <content>Shared objects that somebody has to create, what there is of them, and their end.</content>
public sealed partial class OrchestratorClient
{
    private const int PageSize = 1_000;

    /// <summary>Creates a queue, or answers with the existing one where all of it agrees.</summary>
    /// <exception cref="OrchestratorException">With KIND_MISMATCH, where it exists otherwise.</exception>
    public async Task<QueueInfo> CreateQueueAsync(QueueSpec spec, CancellationToken cancellationToken = default) =>
        (await CallAsync(_objects.Queues.CreateQueueAsync(new CreateQueueRequest { Spec = spec }, cancellationToken: cancellationToken))).Queue;

    /// <summary>A queue as it is.</summary>
    /// <exception cref="OrchestratorException">With NOT_FOUND, where there is none.</exception>
    public async Task<QueueInfo> GetQueueAsync(string queue, CancellationToken cancellationToken = default) =>
        (await CallAsync(_objects.Queues.GetQueueAsync(new GetQueueRequest { Queue = queue }, cancellationToken: cancellationToken))).Queue;

    /// <summary>Every queue, in the order of the names.</summary>
    public Task<IReadOnlyList<QueueInfo>> ListQueuesAsync(CancellationToken cancellationToken = default) => PagesAsync<QueueInfo>(async token =>
    {
        var page = await CallAsync(_objects.Queues.ListQueuesAsync(
            new ListQueuesRequest { PageSize = PageSize, PageToken = token }, cancellationToken: cancellationToken));
        return (page.Queues, page.NextPageToken);
    });

    /// <summary>The queue takes no more; gets drain it. How many items were dropped.</summary>
    /// <param name="queue">Its name.</param>
    /// <param name="immediate">Also drop what is queued.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<long> ShutDownQueueAsync(string queue, bool immediate = false, CancellationToken cancellationToken = default) =>
        (await CallAsync(_objects.Queues.ShutDownQueueAsync(
            new ShutDownQueueRequest { Queue = queue, Immediate = immediate }, cancellationToken: cancellationToken))).DroppedItems;

    /// <summary>Deletes a queue with all that is in it; who waits there is told that it is shut down.</summary>
    public Task DeleteQueueAsync(string queue, CancellationToken cancellationToken = default) =>
        CallAsync(_objects.Queues.DeleteQueueAsync(new DeleteQueueRequest { Queue = queue }, cancellationToken: cancellationToken));

    /// <summary>Creates a pipe, or answers with the existing one where all of it agrees.</summary>
    /// <exception cref="OrchestratorException">With KIND_MISMATCH, where it exists otherwise.</exception>
    public async Task<PipeInfo> CreatePipeAsync(PipeSpec spec, CancellationToken cancellationToken = default) =>
        (await CallAsync(_objects.Pipes.CreatePipeAsync(new CreatePipeRequest { Spec = spec }, cancellationToken: cancellationToken))).Pipe;

    /// <summary>Every pipe, in the order of the names.</summary>
    public Task<IReadOnlyList<PipeInfo>> ListPipesAsync(CancellationToken cancellationToken = default) => PagesAsync<PipeInfo>(async token =>
    {
        var page = await CallAsync(_objects.Pipes.ListPipesAsync(
            new ListPipesRequest { PageSize = PageSize, PageToken = token }, cancellationToken: cancellationToken));
        return (page.Pipes, page.NextPageToken);
    });

    /// <summary>Closes an end of a pipe whoever it belongs to: for pipes whose users are gone. A pipe with both ends closed is no more.</summary>
    public Task ClosePipeEndAsync(string pipe, PipeEnd end, CancellationToken cancellationToken = default) =>
        CallAsync(_objects.Pipes.ClosePipeEndAsync(new ClosePipeEndRequest { Pipe = pipe, End = end }, cancellationToken: cancellationToken));

    /// <summary>Every dict, list, value or array there is; of one kind, or of all where none is given.</summary>
    public Task<IReadOnlyList<StateInfo>> ListStateAsync(StateKind kind = StateKind.Unspecified, CancellationToken cancellationToken = default) => PagesAsync<StateInfo>(async token =>
    {
        var page = await CallAsync(_objects.State.ListStateAsync(
            new ListStateRequest { Kind = kind, PageSize = PageSize, PageToken = token }, cancellationToken: cancellationToken));
        return (page.Objects, page.NextPageToken);
    });

    /// <summary>Deletes a dict, list, value or array.</summary>
    public Task DeleteStateAsync(StateKind kind, string name, CancellationToken cancellationToken = default) =>
        CallAsync(_objects.State.DeleteStateAsync(new DeleteStateRequest { Kind = kind, Name = name }, cancellationToken: cancellationToken));

    /// <summary>Creates a rate limiter, or answers with the existing one where all of it agrees.</summary>
    /// <exception cref="OrchestratorException">With KIND_MISMATCH, where it exists otherwise.</exception>
    public async Task<RateLimiterSpec> CreateRateLimiterAsync(RateLimiterSpec spec, CancellationToken cancellationToken = default) =>
        (await CallAsync(_objects.Sync.CreateRateLimiterAsync(new CreateRateLimiterRequest { Spec = spec }, cancellationToken: cancellationToken))).Spec;

    /// <summary>Deletes a rate limiter; who waits for its permits is told that it is gone.</summary>
    /// <exception cref="OrchestratorException">With NOT_FOUND, where there is none.</exception>
    public Task DeleteRateLimiterAsync(string rateLimiter, CancellationToken cancellationToken = default) =>
        CallAsync(_objects.Sync.DeleteRateLimiterAsync(new DeleteRateLimiterRequest { RateLimiter = rateLimiter }, cancellationToken: cancellationToken));

    private static async Task<IReadOnlyList<T>> PagesAsync<T>(Func<string, Task<(IEnumerable<T> Items, string Next)>> read)
    {
        var all = new List<T>();
        var token = "";
        do
        {
            var (items, next) = await read(token);
            all.AddRange(items);
            token = next;
        }
        while (token.Length > 0);
        return all;
    }
}
