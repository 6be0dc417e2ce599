using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Security;
using Orchestrator.Coordinator.Services;
using Orchestrator.Coordinator.Supervision;
using Orchestrator.Coordinator.Telemetry;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Admin;

/// <summary><c>AdminService</c>: operates and observes this coordinator.</summary>
internal sealed class AdminServiceAdapter(
    StatusReporter reporter,
    WorkerSupervisor supervisor,
    EventLog events,
    DrainController drain,
    ObjectEngineHost objects,
    ObjectIncidents incidents,
    LimitReporter limits,
    StreamRegistry streams,
    TelemetryFeed telemetry,
    TelemetryQueries queries,
    TokenStore tokens,
    PageAddress page,
    FaultInjector faults,
    ComparisonRunner comparisons,
    MonotonicClock clock) : AdminService.AdminServiceBase
{
    private const int MaxWorkers = 1_024;
    private readonly RecentAnswers<RecycleWorkersResponse> _recycled = new(clock);

    private static readonly TimeSpan MinimumInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(1);

    public override Task<GetStatusResponse> GetStatus(GetStatusRequest request, ServerCallContext context) =>
        Task.FromResult(new GetStatusResponse { Status = reporter.Report() });

    public override async Task WatchStatus(
        WatchStatusRequest request, IServerStreamWriter<WatchStatusResponse> responseStream, ServerCallContext context)
    {
        using var timer = new PeriodicTimer(IntervalOf(request.Interval), clock.Provider);
        do
        {
            await responseStream.WriteAsync(new WatchStatusResponse { Status = reporter.Report() }, context.CancellationToken);
        }
        while (await timer.WaitForNextTickAsync(CancellationToken.None).AsTask().WaitAsync(context.CancellationToken)
            && !streams.Stopping.IsCancellationRequested);
    }

    public override async Task WatchTelemetry(
        WatchTelemetryRequest request, IServerStreamWriter<WatchTelemetryResponse> responseStream, ServerCallContext context)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, streams.Stopping);
        using var watch = telemetry.Watch(ClientQuota.Of(context).Objects.Name, IntervalOf(request.Interval), request.Spans);
        try
        {
            while (true)
                await responseStream.WriteAsync(await watch.NextAsync(ending.Token), ending.Token);
        }
        catch (OperationCanceledException) when (streams.Stopping.IsCancellationRequested)
        {
            throw RpcErrors.Create(ErrorReason.Draining, "the coordinator stops");
        }
    }

    public override Task<GetHistoryResponse> GetHistory(GetHistoryRequest request, ServerCallContext context) =>
        Task.FromResult(queries.GetHistory(request));

    public override Task<ListSessionsResponse> ListSessions(ListSessionsRequest request, ServerCallContext context) =>
        Task.FromResult(queries.ListSessions(request));

    public override Task<ListFlowsResponse> ListFlows(ListFlowsRequest request, ServerCallContext context) =>
        Task.FromResult(new ListFlowsResponse { Streams = { streams.Flows() } });

    public override async Task WatchEvents(
        WatchEventsRequest request, IServerStreamWriter<WatchEventsResponse> responseStream, ServerCallContext context)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, streams.Stopping);
        var after = request.Newest > 0
            ? events.SequenceBefore((int)Math.Min(request.Newest, int.MaxValue)) : (long)Math.Min(request.AfterSequence, long.MaxValue - 1);
        try
        {
            await foreach (var item in events.WatchAsync(after, ending.Token))
            {
                await responseStream.WriteAsync(
                    new WatchEventsResponse
                    {
                        Sequence = (ulong)item.Sequence,
                        At = Timestamp.FromDateTimeOffset(item.At),
                        Kind = item.Kind,
                        Subject = item.Subject,
                        Message = item.Message,
                    },
                    ending.Token);
            }
        }
        catch (OperationCanceledException) when (streams.Stopping.IsCancellationRequested)
        {
            throw RpcErrors.Create(ErrorReason.Draining, "the coordinator stops");
        }
    }

    public override async Task<ScaleWorkersResponse> ScaleWorkers(ScaleWorkersRequest request, ServerCallContext context)
    {
        if (request.Workers is < 0 or > MaxWorkers)
            throw RpcErrors.Invalid("workers", $"{request.Workers} is not between 0 and {MaxWorkers}");
        if (request.Group.Length == 0 && supervisor.GroupNames.Count() > 1)
            throw RpcErrors.Invalid("group", $"is empty, and there are several: {GroupNames}");
        CheckGroup(request.Group);
        return new ScaleWorkersResponse { Workers = await supervisor.ScaleAsync(request.Group, request.Workers) };
    }

    public override Task<RecycleWorkersResponse> RecycleWorkers(RecycleWorkersRequest request, ServerCallContext context)
    {
        CheckGroup(request.Group);
        if (request.RequestId.Length == 0)
            return RecycleAsync(request, context.CancellationToken);
        // Continues after its call has been cancelled: the next call with this id waits for it.
        var key = $"{ClientQuota.Of(context).Objects.Credential}\n{request.RequestId}";
        return _recycled.GetAsync(key, () => RecycleAsync(request, CancellationToken.None)).WaitAsync(context.CancellationToken);
    }

    private async Task<RecycleWorkersResponse> RecycleAsync(RecycleWorkersRequest request, CancellationToken cancellationToken)
    {
        try
        {
            // Results name the worker as worker-1#3; its slot is recycled.
            var recycled = await supervisor.RecycleAsync(request.Group, request.Worker.Split('#')[0], cancellationToken);
            if (recycled == 0 && request.Worker.Length > 0)
                throw RpcErrors.Create(
                    ErrorReason.NotFound, "there is no worker " +
                        $"'{request.Worker}'{(request.Group.Length > 0 ? $" in group '{request.Group}'" : "")}; the workers are " +
                        $"{string.Join(", ", supervisor.Status.Select(slot => slot.Name))}");
            return new RecycleWorkersResponse { Recycled = recycled };
        }
        catch (InvalidOperationException exception)
        {
            throw RpcErrors.Create(ErrorReason.WorkerLost, exception.Message);
        }
    }

    private static TimeSpan IntervalOf(Duration? requested)
    {
        var interval = ProtoTime.ToWait(requested) ?? DefaultInterval;
        return interval >= MinimumInterval
            ? interval : throw RpcErrors.Invalid("interval", $"{interval} is shorter than {MinimumInterval.TotalMilliseconds:0} ms");
    }

    private string GroupNames => string.Join(", ", supervisor.GroupNames);

    private void CheckGroup(string group)
    {
        if (group.Length > 0 && !supervisor.GroupNames.Contains(group))
            throw RpcErrors.Create(ErrorReason.NotFound, $"there is no worker group '{group}'; the groups are {GroupNames}");
    }

    public override async Task<DrainResponse> Drain(DrainRequest request, ServerCallContext context)
    {
        var timeout = ProtoTime.ToWait(request.Timeout) ?? DrainController.DefaultTimeout;
        if (timeout < TimeSpan.Zero)
            throw RpcErrors.Invalid("timeout", $"{timeout} is negative; zero does not wait");
        var unfinished = await drain.DrainAsync(timeout, context.CancellationToken);
        if (request.Stop)
            drain.RequestStop();
        return new DrainResponse { UnfinishedTasks = unfinished };
    }

    public override Task<InjectFaultResponse> InjectFault(InjectFaultRequest request, ServerCallContext context) =>
        Task.FromResult(faults.Inject(request));

    public override Task RunComparison(
        RunComparisonRequest request, IServerStreamWriter<RunComparisonResponse> responseStream, ServerCallContext context) =>
        comparisons.RunAsync(
            request, ClientQuota.Of(context).Tasks, run => responseStream.WriteAsync(run, context.CancellationToken),
            context.CancellationToken);

    public override Task<CreateLoginCodeResponse> CreateLoginCode(CreateLoginCodeRequest request, ServerCallContext context) =>
        Task.FromResult(new CreateLoginCodeResponse
        {
            Code = tokens.Pages.CreateCode(CallScope.CallerOf(context), PageSessions.CodeLifetime),
            Lifetime = Duration.FromTimeSpan(PageSessions.CodeLifetime),
            Page = page.Url,
        });

    public override Task<ListDeadlocksResponse> ListDeadlocks(ListDeadlocksRequest request, ServerCallContext context) =>
        Task.FromResult(new ListDeadlocksResponse { Deadlocks = { incidents.Deadlocks() } });

    public override Task<ExplainWaitsResponse> ExplainWaits(ExplainWaitsRequest request, ServerCallContext context) =>
        Task.FromResult(
            new ExplainWaitsResponse { Edges = { objects.Read((view, now) => view.ExplainWaits(now)).Select(WaitEdges.ToMessage) } });

    public override Task<ListLimitsResponse> ListLimits(ListLimitsRequest request, ServerCallContext context) =>
        Task.FromResult(new ListLimitsResponse { Limits = { limits.Shared(), limits.Of(ClientQuota.Of(context)) } });
}
