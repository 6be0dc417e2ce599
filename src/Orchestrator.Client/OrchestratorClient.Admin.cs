using Orchestrator.V1;

namespace Orchestrator.Client;

/// <content>What an operator asks for.</content>
public sealed partial class OrchestratorClient
{
    /// <summary>The coordinator, its workers and its counts, now.</summary>
    public async Task<ServiceStatus> GetStatusAsync(CancellationToken cancellationToken = default) =>
        (await CallAsync(_admin.GetStatusAsync(new GetStatusRequest(), cancellationToken: cancellationToken))).Status;

    /// <summary>The status again and again, every <paramref name="interval"/>.</summary>
    public IAsyncEnumerable<ServiceStatus> WatchStatusAsync(TimeSpan interval, CancellationToken cancellationToken = default)
    {
        var request = new WatchStatusRequest { Interval = TimeLimits.Finite(interval, "the status would come once and never again; GetStatusAsync asks for it once") };
        return ReadAsync(token => _admin.WatchStatus(request, cancellationToken: token), static response => response.Status, cancellationToken);
    }

    /// <summary>What happened to the coordinator and its workers, from after <paramref name="afterSequence"/> on.</summary>
    public IAsyncEnumerable<WatchEventsResponse> WatchEventsAsync(
        ulong afterSequence = 0, CancellationToken cancellationToken = default) =>
        ReadAsync(
            token => _admin.WatchEvents(new WatchEventsRequest { AfterSequence = afterSequence }, cancellationToken: token),
            static response => response,
            cancellationToken);

    /// <summary>Who waits for whom, at which object, now.</summary>
    public async Task<IReadOnlyList<WaitEdge>> ExplainWaitsAsync(CancellationToken cancellationToken = default) =>
        (await CallAsync(_admin.ExplainWaitsAsync(new ExplainWaitsRequest(), cancellationToken: cancellationToken))).Edges;

    /// <summary>Who holds locks, semaphores and the like, and who waits for them: every page.</summary>
    public Task<IReadOnlyList<SyncInfo>> ListSyncAsync(CancellationToken cancellationToken = default) => PagesAsync<SyncInfo>(async token =>
    {
        var page = await CallAsync(_objects.Sync.ListSyncAsync(
            new ListSyncRequest { PageSize = PageSize, PageToken = token }, cancellationToken: cancellationToken));
        return (page.Objects, page.NextPageToken);
    });

    /// <summary>Changes the number of workers of a group and returns the new one.</summary>
    /// <param name="workers">How many there are to be.</param>
    /// <param name="group">The group; not needed where there is only one.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<int> ScaleWorkersAsync(int workers, string? group = null, CancellationToken cancellationToken = default) =>
        (await CallAsync(_admin.ScaleWorkersAsync(
            new ScaleWorkersRequest { Workers = workers, Group = group ?? "" }, cancellationToken: cancellationToken))).Workers;

    /// <summary>Replaces one worker, or all in turn where none is named, and returns how many.</summary>
    /// <param name="worker">The worker's name; null is all.</param>
    /// <param name="group">Only workers of this group; null is any.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<int> RecycleWorkersAsync(string? worker = null, string? group = null, CancellationToken cancellationToken = default) =>
        (await CallAsync(_admin.RecycleWorkersAsync(
            new RecycleWorkersRequest { Worker = worker ?? "", Group = group ?? "" }, cancellationToken: cancellationToken))).Recycled;

    /// <summary>Takes no new work, waits for what runs, and returns how many tasks were left unfinished.</summary>
    /// <param name="timeout">How long to wait; null takes the coordinator's own limit, <see cref="Timeout.InfiniteTimeSpan"/> the longest that it knows, 49 days.</param>
    /// <param name="stop">Also stop the coordinator afterwards.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<long> DrainAsync(TimeSpan? timeout, bool stop, CancellationToken cancellationToken = default)
    {
        var request = new DrainRequest { Timeout = TimeLimits.OrLongest(timeout), Stop = stop };
        return (await CallAsync(_admin.DrainAsync(request, cancellationToken: cancellationToken))).UnfinishedTasks;
    }

    /// <summary>Every limit in force and how far it is used.</summary>
    public async Task<IReadOnlyList<Limit>> ListLimitsAsync(CancellationToken cancellationToken = default) =>
        (await CallAsync(_admin.ListLimitsAsync(new ListLimitsRequest(), cancellationToken: cancellationToken))).Limits;
}
