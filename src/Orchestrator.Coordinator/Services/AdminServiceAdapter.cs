using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Orchestrator.Contracts;
using Orchestrator.Coordinator.Engines;
using Orchestrator.Coordinator.Errors;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Coordinator.Security;
using Orchestrator.Coordinator.Supervision;
using Orchestrator.Coordinator.Telemetry;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services;

/// <summary><c>AdminService</c>: operates and observes this coordinator.</summary>
internal sealed class AdminServiceAdapter(
    StatusReporter reporter,
    WorkerSupervisor supervisor,
    OperatorEvents events,
    DrainController drain,
    TaskEngineHost host,
    ObjectEngineHost objects,
    SupervisorOptions workers,
    StreamLimits streamLimits,
    CoordinatorOptions limits,
    StreamRegistry streams,
    CommandJournal journal,
    MonotonicClock clock) : AdminService.AdminServiceBase
{
    private const int MaxWorkers = 1_024;
    private static readonly TimeSpan MinimumInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(1);

    public override Task<GetStatusResponse> GetStatus(GetStatusRequest request, ServerCallContext context) =>
        Task.FromResult(new GetStatusResponse { Status = reporter.Report() });

    public override async Task WatchStatus(WatchStatusRequest request, IServerStreamWriter<WatchStatusResponse> responseStream, ServerCallContext context)
    {
        var interval = request.Interval?.ToTimeSpan() ?? DefaultInterval;
        if (interval < MinimumInterval)
            throw Failures.Invalid("interval", $"{interval} is shorter than {MinimumInterval.TotalMilliseconds:0} ms");
        using var timer = new PeriodicTimer(interval, clock.Provider);
        do
        {
            await responseStream.WriteAsync(new WatchStatusResponse { Status = reporter.Report() }, context.CancellationToken);
        }
        while (await timer.WaitForNextTickAsync(CancellationToken.None).AsTask().WaitAsync(context.CancellationToken) && !streams.Stopping.IsCancellationRequested);
    }

    public override async Task WatchEvents(WatchEventsRequest request, IServerStreamWriter<WatchEventsResponse> responseStream, ServerCallContext context)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, streams.Stopping);
        try
        {
            await foreach (var item in events.WatchAsync((long)request.AfterSequence, ending.Token))
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
        catch (SlowWatcherException exception)
        {
            throw Failures.Create(ErrorReason.LimitExceeded, exception.Message);
        }
        catch (OperationCanceledException) when (streams.Stopping.IsCancellationRequested)
        {
            throw Failures.Create(ErrorReason.Draining, "the coordinator stops");
        }
    }

    public override async Task<ScaleWorkersResponse> ScaleWorkers(ScaleWorkersRequest request, ServerCallContext context)
    {
        if (request.Workers is < 0 or > MaxWorkers)
            throw Failures.Invalid("workers", $"{request.Workers} is not between 0 and {MaxWorkers}");
        if (request.Group.Length == 0 && workers.Groups.Count > 1)
            throw Failures.Invalid("group", $"is empty, and there are several: {GroupNames}");
        CheckGroup(request.Group);
        return new ScaleWorkersResponse { Workers = await supervisor.ScaleAsync(request.Group, request.Workers) };
    }

    public override async Task<RecycleWorkersResponse> RecycleWorkers(RecycleWorkersRequest request, ServerCallContext context)
    {
        CheckGroup(request.Group);
        try
        {
            // worker-1#3 is how results name it; the slot is what is recycled.
            var recycled = await supervisor.RecycleAsync(request.Group, request.Worker.Split('#')[0], context.CancellationToken);
            if (recycled == 0 && request.Worker.Length > 0)
                throw Failures.Create(ErrorReason.NotFound, $"there is no worker '{request.Worker}'{(request.Group.Length > 0 ? $" in group '{request.Group}'" : "")}; the workers are {string.Join(", ", supervisor.Status.Select(slot => slot.Name))}");
            return new RecycleWorkersResponse { Recycled = recycled };
        }
        catch (InvalidOperationException exception)
        {
            throw new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, exception.Message));
        }
    }

    private string GroupNames => string.Join(", ", supervisor.GroupNames);

    private void CheckGroup(string group)
    {
        if (group.Length > 0 && !supervisor.GroupNames.Contains(group))
            throw Failures.Create(ErrorReason.NotFound, $"there is no worker group '{group}'; the groups are {GroupNames}");
    }

    public override async Task<DrainResponse> Drain(DrainRequest request, ServerCallContext context)
    {
        var timeout = request.Timeout?.ToTimeSpan() ?? DrainController.DefaultTimeout;
        if (timeout < TimeSpan.Zero)
            throw Failures.Invalid("timeout", $"{timeout} is negative; zero does not wait");
        var unfinished = await drain.DrainAsync(timeout, context.CancellationToken);
        if (request.Stop)
            drain.RequestStop();
        return new DrainResponse { UnfinishedTasks = unfinished };
    }

    public override Task<ExplainWaitsResponse> ExplainWaits(ExplainWaitsRequest request, ServerCallContext context) =>
        Task.FromResult(new ExplainWaitsResponse { Edges = { objects.Read((engine, now) => engine.ExplainWaits(now)).Select(WaitEdges.ToMessage) } });

    public override Task<ListLimitsResponse> ListLimits(ListLimitsRequest request, ServerCallContext context)
    {
        var options = host.Options;
        var response = new ListLimitsResponse();
        host.Read(engine =>
        {
            Add("tasks", "Tasks that are unfinished or hold a kept result", options.MaxTasks, engine.Unfinished + engine.Retained, "tasks");
            Add("payload_bytes_total", "Inputs of unfinished tasks and kept results", options.MaxPayloadBytes, engine.PayloadBytes, "bytes");
            Add("request_ids", "Request ids that are remembered", options.MaxRequestIds, engine.RequestIdCount, "ids");
            Add("affinity_keys", "Affinity keys that are remembered", options.MaxAffinityKeys, engine.AffinityKeyCount, "keys");
            return 0;
        });
        var client = ClientAccount.Of(context);
        Add("tasks_per_client", $"Unfinished tasks of one client (used: yours, {client.Tasks.Name})", options.MaxTasksPerClient, client.Tasks.Unfinished, "tasks");
        Add("payload_bytes_per_client", "Inputs of those", options.MaxPayloadBytesPerClient, client.Tasks.InputBytes, "bytes");
        Add("sessions_per_client", "Sessions that one client has created", limits.Objects.MaxSessionsPerClient, client.Sessions.Count, "sessions");
        Add("streams_per_client", "Open streams of one client", limits.MaxStreamsPerClient, client.Streams, "streams");
        Add("payload_bytes", "One input or output", ProtocolConstants.MaxPayloadBytes, 0, "bytes");
        Add("message_bytes", "One gRPC message", ProtocolConstants.MaxMessageBytes, 0, "bytes");
        Add("stream_credits", "Unfinished or unread tasks of one stream", streamLimits.CreditsPerStream, 0, "tasks");
        Add("stream_credit_bytes", "Inputs of those", streamLimits.CreditBytesPerStream, 0, "bytes");
        Add("streams", "Open task streams", 0, streams.Count, "streams");
        Add("delivered_results", "Results that stay readable after they were delivered", options.MaxDeliveredResults, 0, "results");
        Add("history_tasks", "Ends of durable tasks that the journal keeps for ListTasks", journal.Options.HistoryTasks, 0, "tasks");
        Add("history_bytes", "What those take", journal.Options.HistoryBytes, journal.HistoryBytes, "bytes");
        Add("worker_prefetch", "Tasks sent ahead to one worker's CPU lane", options.MaxCredits, 0, "tasks");
        Add("worker_io", "IO tasks that one worker runs at once", workers.MaxConcurrentIo, 0, "tasks");
        Add("worker_blocking", "Blocking tasks that one worker runs at once", workers.BlockingThreads, 0, "tasks");
        return Task.FromResult(response);

        void Add(string name, string description, long maximum, long used, string unit) =>
            response.Limits.Add(new Limit { Name = name, Description = description, Maximum = maximum, Used = used, Unit = unit });
    }
}
