using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Contract;

/// <content>Administration.</content>
public sealed partial class ContractClient
{
    /// <summary>The current state of the coordinator, its workers and its counts.</summary>
    public async Task<ServiceStatus> GetStatusAsync(CancellationToken cancellationToken = default) =>
        (await CallAsync(_admin.GetStatusAsync(new GetStatusRequest(), cancellationToken: cancellationToken)).ConfigureAwait(false)).Status;

    /// <summary>The status, every <paramref name="interval"/>.</summary>
    public IAsyncEnumerable<ServiceStatus> WatchStatusAsync(TimeSpan interval, CancellationToken cancellationToken = default)
    {
        var request = new WatchStatusRequest
        {
            Interval = TimeLimits.Finite(
            interval, "the status would arrive only once; use GetStatusAsync to read it once")
        };
        return _calls.ReadAllAsync(
            token => _admin.WatchStatus(request, cancellationToken: token), static response => response.Status, cancellationToken);
    }

    /// <summary>Events of the coordinator and its workers after <paramref name="afterSequence"/>.</summary>
    public IAsyncEnumerable<WatchEventsResponse> WatchEventsAsync(
        ulong afterSequence = 0, CancellationToken cancellationToken = default) =>
        _calls.ReadAllAsync(
            token => _admin.WatchEvents(new WatchEventsRequest { AfterSequence = afterSequence }, cancellationToken: token),
            static response => response,
            cancellationToken);

    /// <summary>The current wait graph: each waiter, the holder it waits for, and the object.</summary>
    public async Task<IReadOnlyList<WaitEdge>> ExplainWaitsAsync(CancellationToken cancellationToken = default) =>
        (await CallAsync(_admin.ExplainWaitsAsync(new ExplainWaitsRequest(), cancellationToken: cancellationToken))
            .ConfigureAwait(false)).Edges;

    /// <summary>The last 100 waits that were refused because each would have closed a cycle, the newest last.</summary>
    public async Task<IReadOnlyList<Deadlock>> ListDeadlocksAsync(CancellationToken cancellationToken = default) =>
        (await CallAsync(_admin.ListDeadlocksAsync(new ListDeadlocksRequest(), cancellationToken: cancellationToken))
            .ConfigureAwait(false)).Deadlocks;

    /// <summary>All holders and waiters of locks, semaphores and the like, from every page.</summary>
    public Task<IReadOnlyList<SyncInfo>> ListSyncAsync(CancellationToken cancellationToken = default) => PagesAsync<SyncInfo>(async token =>
    {
        var page = await CallAsync(_objects.Sync.ListSyncAsync(
            new ListSyncRequest { PageSize = PageSize, PageToken = token }, cancellationToken: cancellationToken)).ConfigureAwait(false);
        return (page.Objects, page.NextPageToken);
    });

    /// <summary>Changes the number of workers of a group and returns the new one.</summary>
    /// <param name="workers">The new number of workers.</param>
    /// <param name="group">The group; optional if there is only one.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<int> ScaleWorkersAsync(int workers, string? group = null, CancellationToken cancellationToken = default) =>
        (await CallAsync(_admin.ScaleWorkersAsync(
            new ScaleWorkersRequest { Workers = workers, Group = group ?? "" }, cancellationToken: cancellationToken))
                .ConfigureAwait(false)).Workers;

    /// <summary>Replaces the named worker, or all workers in turn, and returns the number replaced.</summary>
    /// <param name="worker">The worker's name; null is all.</param>
    /// <param name="group">Only workers of this group; null is any.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<int> RecycleWorkersAsync(
        string? worker = null, string? group = null, CancellationToken cancellationToken = default) =>
        (await CallAsync(_admin.RecycleWorkersAsync(
            new RecycleWorkersRequest { Worker = worker ?? "", Group = group ?? "" }, cancellationToken: cancellationToken))
                .ConfigureAwait(false)).Recycled;

    /// <summary>Drains the coordinator: it takes no new work and waits for running tasks. Returns the number of unfinished tasks.</summary>
    /// <param name="timeout">How long to wait; null takes the coordinator's own limit, <see cref="Timeout.InfiniteTimeSpan"/> its maximum,
    /// 49 days.</param>
    /// <param name="stop">Also stop the coordinator afterwards.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<long> DrainAsync(TimeSpan? timeout, bool stop, CancellationToken cancellationToken = default)
    {
        var request = new DrainRequest { Timeout = TimeLimits.OrLongest(timeout), Stop = stop };
        return (await CallAsync(_admin.DrainAsync(request, cancellationToken: cancellationToken)).ConfigureAwait(false)).UnfinishedTasks;
    }

    /// <summary>Every limit in force and its current usage.</summary>
    public async Task<IReadOnlyList<Limit>> ListLimitsAsync(CancellationToken cancellationToken = default) =>
        (await CallAsync(_admin.ListLimitsAsync(new ListLimitsRequest(), cancellationToken: cancellationToken))
            .ConfigureAwait(false)).Limits;

    /// <summary>What a live view shows: status, what needs attention and, if requested, the spans in which attempts ran.</summary>
    /// <param name="interval">From one message to the next, at least 100 ms.</param>
    /// <param name="spans">Whether to record and send spans.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    public IAsyncEnumerable<WatchTelemetryResponse> WatchTelemetryAsync(
        TimeSpan interval, bool spans = false, CancellationToken cancellationToken = default)
    {
        var request = new WatchTelemetryRequest
        {
            Interval = TimeLimits.Finite(interval, "telemetry would arrive only once; use GetStatusAsync to read the status once"),
            Spans = spans,
        };
        return _calls.ReadAllAsync(
            token => _admin.WatchTelemetry(request, cancellationToken: token), static response => response, cancellationToken);
    }

    /// <summary>Figures of the last 15 minutes, and what ran on which worker.</summary>
    public Task<GetHistoryResponse> GetHistoryAsync(GetHistoryRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(_admin.GetHistoryAsync(request, cancellationToken: cancellationToken));

    /// <summary>The open sessions, from every page.</summary>
    public Task<IReadOnlyList<SessionSummary>> ListSessionsAsync(CancellationToken cancellationToken = default) =>
        PagesAsync<SessionSummary>(async token =>
    {
        var page = await CallAsync(_admin.ListSessionsAsync(
            new ListSessionsRequest { PageSize = PageSize, PageToken = token }, cancellationToken: cancellationToken))
                .ConfigureAwait(false);
        return (page.Sessions, page.NextPageToken);
    });

    /// <summary>The open task streams: how many credits each uses, and who does not read.</summary>
    public async Task<IReadOnlyList<StreamFlow>> ListFlowsAsync(CancellationToken cancellationToken = default) =>
        (await CallAsync(_admin.ListFlowsAsync(new ListFlowsRequest(), cancellationToken: cancellationToken))
            .ConfigureAwait(false)).Streams;

    /// <summary>A code with which a browser logs in to the page once, within a minute, with this client's rights.</summary>
    public Task<CreateLoginCodeResponse> CreateLoginCodeAsync(CancellationToken cancellationToken = default) =>
        CallAsync(_admin.CreateLoginCodeAsync(new CreateLoginCodeRequest(), cancellationToken: cancellationToken));
}
