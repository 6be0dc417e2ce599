using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Scenarios;

/// <summary>Part 9, A: what a live view gets, and what can be asked of the past.</summary>
public sealed class TelemetryTests
{
    [Fact]
    public async Task Every_attempt_is_in_one_span()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        using var watch = coordinator.Admin.WatchTelemetry(
            new WatchTelemetryRequest { Interval = Specs.Seconds(0.1), Spans = true }, CoordinatorProcess.Deadline());
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
        const int Tasks = 20_000;
        var results = coordinator.StreamAsync(Enumerable.Range(0, Tasks).Select(
            i => Specs.Json(i % 100 == 0 ? "sleep" : "echo", i % 100 == 0 ? """{"ms": 5}""" : "1", tag: (ulong)i)));
        var spans = new List<SpanBlock>();
        var handlers = new Dictionary<uint, string>();
        var lanes = new Dictionary<uint, SpanLane>();
        while (spans.Sum(block => block.Count.Sum(count => count)) < Tasks)
        {
            Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
            foreach (var block in watch.ResponseStream.Current.Spans)
            {
                Assert.Equal(0UL, block.Missed);
                spans.Add(block);
                foreach (var handler in block.Handlers)
                    handlers[handler.Number] = handler.Name;
                foreach (var lane in block.Lanes)
                    lanes[lane.Number] = lane;
            }
        }

        await results;
        Assert.Equal(Tasks, spans.Sum(block => block.Count.Sum(count => count)));
        Assert.Equal(Tasks / 100, CountOf("sleep"));
        Assert.Equal(Tasks - (Tasks / 100), CountOf("echo"));
        Assert.All(
            spans.SelectMany(block => block.Lane), lane => Assert.StartsWith("worker-", lanes[lane].Worker, StringComparison.Ordinal));
        Assert.All(spans.SelectMany(block => block.Outcome), outcome => Assert.Equal(AttemptOutcome.Succeeded, outcome));
        // Brief attempts are folded.
        Assert.InRange(spans.Sum(block => block.Count.Count), 1, Tasks / 4);

        long CountOf(string name) =>
            spans.Sum(block => block.Count.Where((_, i) => handlers[block.Handler[i]] == name).Sum(count => count));
    }

    [Fact]
    public async Task A_running_task_is_shown_and_a_killed_worker_s_attempt_is_lost()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--allow-chaos");
        using var watch = coordinator.Admin.WatchTelemetry(
            new WatchTelemetryRequest { Interval = Specs.Seconds(0.1), Spans = true }, CoordinatorProcess.Deadline());
        var id = (await coordinator.SubmitAsync(Specs.Json("spin", """{"ms": 60000}"""))).Single();
        var running = await NextAsync(watch, message => message.Status?.Workers.Single().Current is { } current && current.TaskId == id);
        Assert.Equal("spin", running.Status.Workers.Single().Current.Handler);
        Assert.Equal(1, running.Status.Workers.Single().RunningCpu);
        await coordinator.WaitUntilReportedAsync(id);
        var fault = await coordinator.Admin.InjectFaultAsync(
            new InjectFaultRequest { Kind = FaultKind.Kill, Worker = "worker-1" }, CoordinatorProcess.Deadline());
        Assert.Equal("worker-1#1", fault.Worker);
        var lost = await NextAsync(watch, message => message.Spans.Any(block => block.TaskId.Contains(id)));
        var spans = lost.Spans.Single(block => block.TaskId.Contains(id));
        Assert.Equal(AttemptOutcome.WorkerLost, spans.Outcome[spans.TaskId.IndexOf(id)]);
        await coordinator.WaitForEventAsync("fault.injected");
    }

    [Fact]
    public async Task The_past_minutes_can_be_asked_for_although_nobody_watched()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var before = await coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline());
        Assert.Equal(0, before.Status.Tasks.Accepted);
        await coordinator.StreamAsync(Enumerable.Range(0, 400).Select(i => Specs.Json("sleep", """{"ms": 20}""", tag: (ulong)i)));
        GetHistoryResponse history;
        // The second in which they ended is sampled at its end, and followed by one in which none did.
        do
        {
            history = await coordinator.Admin.GetHistoryAsync(
                new GetHistoryRequest { Lanes = true, Series = { "tasks.*", "handler/sleep/*", "worker/*" } },
                CoordinatorProcess.Deadline());
        }
        while (Sum("tasks.ended") == 0 || Values("tasks.ended").Last() > 0);

        // Rates: a sample that comes late, on a busy machine, stands for more than a second, and so for less per second.
        Assert.InRange(Sum("tasks.ended"), 40, 450);
        Assert.InRange(Sum("tasks.accepted"), 40, 450);
        Assert.Equal(Sum("tasks.ended"), Sum("handler/sleep/ended"), 3);
        Assert.Contains(history.Series, series => series.Name == "worker/worker-1/cpu" && series.Unit == "%");
        var sleep = history.Lanes.Handlers.Single(handler => handler.Name == "sleep").Number;
        Assert.All(history.Lanes.Handler, handler => Assert.Equal(sleep, handler));
        // 400 times 20 ms are 8 s of one slot, in hundredths of tenths of a second; more on a busy machine.
        Assert.InRange(history.Lanes.Hundredths.Sum(part => part), 7_000, 60_000);
        Assert.Equal(
            ["worker-1#1", "worker-2#2"], history.Lanes.Lanes.Where(lane => lane.Kind == TaskKind.Io).Select(lane => lane.Worker).Order());

        double Sum(string name) => Values(name).Sum();

        IEnumerable<double> Values(string name) =>
            history.Series.FirstOrDefault(series => series.Name == name)?.Values
                .Where(value => !float.IsNaN(value)).Select(value => (double)value) ?? [];
    }

    [Theory]
    [InlineData("step", 0.5, null, null)]
    [InlineData("from", null, 100.0, 0.0)]
    public async Task A_wrong_period_is_named(string field, double? step, double? from, double? to)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        var request = new GetHistoryRequest
        {
            Step = step is { } seconds ? Specs.Seconds(seconds) : null,
            From = from is { } begin ? Timestamp.FromDateTimeOffset(DateTimeOffset.UnixEpoch.AddSeconds(begin)) : null,
            To = to is { } end ? Timestamp.FromDateTimeOffset(DateTimeOffset.UnixEpoch.AddSeconds(end)) : null,
        };
        var error = await Assert.ThrowsAsync<RpcException>(
            () => coordinator.Admin.GetHistoryAsync(request, CoordinatorProcess.Deadline()).ResponseAsync);
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.StartsWith(field, error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sessions_and_streams_are_listed()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1");
        var session = await coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { DisplayName = "importer", Ttl = Specs.Seconds(60) }, CoordinatorProcess.Deadline());
        await coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "build", SessionId = session.SessionId }, CoordinatorProcess.Deadline());
        var listed = await coordinator.Admin.ListSessionsAsync(new ListSessionsRequest(), CoordinatorProcess.Deadline());
        var found = Assert.Single(listed.Sessions, item => item.DisplayName == "importer");
        Assert.Equal(1, found.Holds);
        Assert.DoesNotContain(session.SessionId, listed.ToString(), StringComparison.Ordinal);
        Assert.Equal(listed.Sessions.Count, listed.Total);

        using var stream = coordinator.Tasks.StreamTasks(CoordinatorProcess.Deadline());
        await stream.RequestStream.WriteAsync(new StreamTasksRequest { Tasks = { Specs.Json("sleep", """{"ms": 60000}""") } });
        ListFlowsResponse flows;
        do
            flows = await coordinator.Admin.ListFlowsAsync(new ListFlowsRequest(), CoordinatorProcess.Deadline());
        while (flows.Streams is not [{ CreditsUsed: 1 }]);
        Assert.Equal(4_096, flows.Streams[0].CreditsLimit);
        Assert.Null(flows.Streams[0].StalledSince);
        Assert.NotEmpty(flows.Streams[0].Client);
    }

    [Fact]
    public async Task A_queue_shows_its_next_items()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        await queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = "q" } }, CoordinatorProcess.Deadline());
        var items = Enumerable.Range(0, 30).Select(i => new QueueItem { Body = Payloads.FromJson($"{i}") });
        await queues.PutAsync(new PutRequest { Queue = "q", Items = { items } }, CoordinatorProcess.Deadline());
        var peeked = await queues.PeekQueueAsync(new PeekQueueRequest { Queue = "q" }, CoordinatorProcess.Deadline());
        Assert.Equal(Enumerable.Range(0, 10).Select(i => Payloads.FromJson($"{i}")), peeked.Items.Select(item => item.Body));
        Assert.Equal(
            30, (await queues.GetQueueAsync(new GetQueueRequest { Queue = "q" }, CoordinatorProcess.Deadline())).Queue.ReadyItems);
        var error = await Assert.ThrowsAsync<RpcException>(() => queues.PeekQueueAsync(
            new PeekQueueRequest { Queue = "q", MaxItems = 21 }, CoordinatorProcess.Deadline()).ResponseAsync);
        Assert.Contains("max_items", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Placements_are_compared()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var request = new RunComparisonRequest
        {
            Handler = "count_primes",
            Tasks = 20,
            Inputs = { Payloads.FromJson("""{"limit": 1000}"""), Payloads.FromJson("""{"limit": 100000}""") },
        };
        using var call = coordinator.Admin.RunComparison(request, CoordinatorProcess.Deadline(60));
        var runs = await call.ResponseStream.ReadAllAsync(CancellationToken.None).ToListAsync();
        Assert.All(runs, run => Assert.Equal(24, run.Runs));
        Assert.Equal(24, runs.Count);
        // All placements in each round, the rounds of the first input before those of the second.
        Assert.Equal(
            Enumerable.Range(0, 24).Select(i => (i / 12, i / 4 % 3)), runs.Select(run => (run.Input, run.Round)));
        Assert.All(runs.Chunk(4), round => Assert.Equal(4, round.Select(run => run.Placement).Distinct().Count()));
        Assert.All(runs, run => Assert.True(run.PerSecond > 0 && run.RssBytes > 10_000_000 && run.RunP50.ToTimeSpan() > TimeSpan.Zero));

        await coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 60000}"""));
        using var refused = coordinator.Admin.RunComparison(request, CoordinatorProcess.Deadline());
        var error = await Assert.ThrowsAsync<RpcException>(() => refused.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
    }

    [Fact]
    public async Task A_comparison_that_is_refused_in_part_leaves_no_tasks()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--max-tasks-per-client", "3");
        var (_, token) = new TokenFiles(coordinator.DataDirectory, TimeProvider.System).Create(Role.Operate, null, "tenant");
        var admin = new AdminService.AdminServiceClient(coordinator.Connect(token));
        // The trials run one task each; of the first run, the fourth task is one too many.
        using var comparison = admin.RunComparison(
            new RunComparisonRequest { Handler = "sleep", Tasks = 4, Inputs = { Payloads.FromJson("""{"ms": 500}""") } },
            CoordinatorProcess.Deadline());
        var error = await Assert.ThrowsAsync<RpcException>(() => comparison.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Contains("tenant", error.Status.Detail, StringComparison.Ordinal);
        var tasks = (await admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status.Tasks;
        Assert.True(tasks.Cancelled >= 2, $"{tasks}");
    }

    [Fact]
    public async Task Faults_are_only_injected_where_they_are_allowed()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1");
        var error = await Assert.ThrowsAsync<RpcException>(() => coordinator.Admin.InjectFaultAsync(
            new InjectFaultRequest { Kind = FaultKind.Kill, Worker = "worker-1" }, CoordinatorProcess.Deadline()).ResponseAsync);
        Assert.Equal(StatusCode.PermissionDenied, error.StatusCode);
        Assert.Contains("--allow-chaos", error.Status.Detail, StringComparison.Ordinal);
    }

    private static async Task<WatchTelemetryResponse> NextAsync(
        AsyncServerStreamingCall<WatchTelemetryResponse> watch, Func<WatchTelemetryResponse, bool> wanted)
    {
        while (await watch.ResponseStream.MoveNext(CancellationToken.None))
        {
            if (wanted(watch.ResponseStream.Current))
                return watch.ResponseStream.Current;
        }

        throw new InvalidOperationException("the watch ended");
    }
}
