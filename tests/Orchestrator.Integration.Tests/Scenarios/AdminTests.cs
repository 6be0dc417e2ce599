using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Scenarios;

/// <summary>Operations of an administrator.</summary>
public sealed class AdminTests
{
    [Fact]
    public async Task Recycling_all_workers_under_load_fails_no_task()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var before = (await coordinator.WorkersAsync()).Select(worker => worker.Pid).ToArray();
        var load = coordinator.StreamAsync(Enumerable.Range(0, 2_000).Select(
            i => Specs.Json(i % 2 == 0 ? "sleep" : "count_primes", i % 2 == 0 ? """{"ms": 50}""" : """{"limit": 20000}""", tag: (ulong)i)));
        var recycled = await coordinator.Admin.RecycleWorkersAsync(new RecycleWorkersRequest(), CoordinatorProcess.Deadline());
        Assert.Equal(2, recycled.Recycled);
        var results = await load;
        Assert.Equal(2_000, results.Count);
        Assert.All(results, result => Assert.Equal(TaskState.Succeeded, result.State));
        Assert.All(results, result => Assert.Equal(1, result.Attempt));
        var after = await coordinator.WorkersAsync();
        Assert.Empty(before.Intersect(after.Select(worker => worker.Pid)));
        Assert.All(after, worker => Assert.Equal(WorkerState.Ready, worker.State));
    }

    [Fact]
    public async Task Workers_are_scaled_up_and_down()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        Assert.Equal(
            3, (await coordinator.Admin.ScaleWorkersAsync(new ScaleWorkersRequest { Workers = 3 }, CoordinatorProcess.Deadline())).Workers);
        await coordinator.WaitForEventAsync("worker.ready", item => item.Subject.StartsWith("worker-3#", StringComparison.Ordinal));
        var results = await coordinator.StreamAsync(
            Enumerable.Range(0, 100).Select(i => Specs.Json("sleep", """{"ms": 20}""", tag: (ulong)i)));
        Assert.Equal(3, results.Select(result => result.Worker).Distinct().Count());
        Assert.Equal(
            1, (await coordinator.Admin.ScaleWorkersAsync(new ScaleWorkersRequest { Workers = 1 }, CoordinatorProcess.Deadline())).Workers);
        await coordinator.WaitForEventAsync("worker.exited", item => item.Subject.StartsWith("worker-3#", StringComparison.Ordinal));
        Assert.Single(await coordinator.WorkersAsync());
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("sleep", """{"ms": 1}"""))).State);
    }

    [Fact]
    public async Task A_drain_waits_for_what_runs_and_takes_nothing_new()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var id = (await coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 500}"""))).Single();
        var drained = await coordinator.Admin.DrainAsync(new DrainRequest { Timeout = Specs.Seconds(10) }, CoordinatorProcess.Deadline());
        Assert.Equal(0, drained.UnfinishedTasks);
        Assert.Equal(TaskState.Succeeded, (await coordinator.WaitAsync([id])).Single().State);
        var error = await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => coordinator.RunAsync(Specs.Json("sleep", """{"ms": 1}""")));
        Assert.Equal(Grpc.Core.StatusCode.Unavailable, error.StatusCode);
        Assert.True((await coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status.Draining);
    }

    [Fact]
    public async Task Status_counts_what_happened()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--allow-chaos");
        await coordinator.StreamAsync(
            [Specs.Json("sleep", """{"ms": 1}"""), Specs.Json("throw", """{"message": "x"}"""), Specs.Json("fibonacci", """{"n": 3}""")]);
        var status = (await coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status;
        Assert.Equal(2, status.Tasks.Succeeded);
        Assert.Equal(1, status.Tasks.Failed);
        Assert.Equal(0, status.Tasks.Running + status.Tasks.Queued);
        Assert.Equal(1, status.Handlers.Single(handler => handler.Handler == "sleep").Counts.Succeeded);
        Assert.True(status.Coordinator.RssBytes > 0);
        var limits = (await coordinator.Admin.ListLimitsAsync(new ListLimitsRequest(), CoordinatorProcess.Deadline())).Limits;
        Assert.Contains(limits, limit => limit is { Name: "tasks", Maximum: > 0 });
    }

    [Fact]
    public async Task A_session_that_nobody_keeps_alive_is_told_as_lost_and_a_closed_one_is_not()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        var closed = (await coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { DisplayName = "closed" }, CoordinatorProcess.Deadline())).SessionId;
        await coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = closed }, CoordinatorProcess.Deadline());
        await coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { DisplayName = "lost", Ttl = Specs.Seconds(0.5) }, CoordinatorProcess.Deadline());
        var first = await coordinator.WaitForEventAsync("session.lost");
        Assert.Contains("(\"lost\")", first.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_window_holds_what_happened_in_the_last_seconds_and_forgets_it()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--allow-chaos");
        await coordinator.StreamAsync(
            [.. Enumerable.Repeat(Specs.Json("sleep", """{"ms": 20}"""), 9), Specs.Json("throw", """{"message": "x"}""")]);
        var status = (await coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status;
        var seconds = status.Window.Length.ToTimeSpan().TotalSeconds;
        var sleep = status.Window.Handlers.Single(handler => handler.Handler == "sleep");
        Assert.Equal((9, 0), (Math.Round(sleep.PerSecond * seconds), Math.Round(sleep.FailedPerSecond * seconds)));
        Assert.InRange(sleep.RunP50.ToTimeSpan(), TimeSpan.FromMilliseconds(20), sleep.RunP99.ToTimeSpan());
        Assert.InRange(sleep.LatencyP99.ToTimeSpan(), sleep.LatencyP90.ToTimeSpan(), TimeSpan.FromSeconds(60));
        Assert.Equal(1, Math.Round(status.Window.Handlers.Single(handler => handler.Handler == "throw").FailedPerSecond * seconds));

        var request = new WatchStatusRequest { Interval = Specs.Seconds(0.5) };
        using var watch = coordinator.Admin.WatchStatus(request, CoordinatorProcess.Deadline(60));
        while (status.Window.Handlers.Count > 0)
        {
            Assert.InRange(status.Window.Length.ToTimeSpan(), TimeSpan.Zero, TimeSpan.FromSeconds(30));
            Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
            status = watch.ResponseStream.Current.Status;
        }

        // The counts are those since the start.
        Assert.Equal(9, status.Handlers.Single(handler => handler.Handler == "sleep").Counts.Succeeded);
        var shown = (await TestKit.CommandLine.RunAsync(["status", "--data-dir", coordinator.DataDirectory])).Output;
        Assert.Matches(@"\nsleep\t0\t0\t9\t0(\t–){5}\n", shown);
    }

    [Fact]
    public async Task Status_counts_sessions_queues_and_what_is_in_them()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        Assert.Equal((0, 0, 0), await CountAsync());
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        foreach (var name in new[] { "full", "idle" })
            await queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = name } }, CoordinatorProcess.Deadline());
        await queues.PutAsync(new PutRequest { Queue = "full", Items = { Item(), Item(), Item() } }, CoordinatorProcess.Deadline());
        var session = (await coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { Ttl = Specs.Seconds(600) }, CoordinatorProcess.Deadline())).SessionId;
        // Leased items are still in the queue, and so are items that return only after a delay.
        var leased = await queues.GetAsync(
            new GetRequest { Queue = "full", Leased = true, MaxItems = 2, SessionId = session }, CoordinatorProcess.Deadline());
        var settle = new SettleRequest
        {
            Queue = "full",
            SessionId = session,
            LeaseIds = { leased.Items[0].LeaseId },
            Settlement = Settlement.Return,
            Duration = Specs.Seconds(600)
        };
        await queues.SettleAsync(settle, CoordinatorProcess.Deadline());
        Assert.Equal((1, 2, 3), await CountAsync());
        string[] at = ["--data-dir", coordinator.DataDirectory];
        Assert.Contains("Objects: 1 session, 2 queues with 3 items\n", (await TestKit.CommandLine.RunAsync(["status", .. at])).Output,
            StringComparison.Ordinal);
        Assert.Contains(", 1 session, 2 queues with 3 items\n", (await TestKit.CommandLine.RunAsync(["top", "--once", .. at])).Output,
            StringComparison.Ordinal);
        // Settled as done, taken without a lease, dropped with its queue: each leaves the count.
        settle =
            new SettleRequest { Queue = "full", SessionId = session, LeaseIds = { leased.Items[1].LeaseId }, Settlement = Settlement.Done };
        await queues.SettleAsync(settle, CoordinatorProcess.Deadline());
        await queues.GetAsync(new GetRequest { Queue = "full" }, CoordinatorProcess.Deadline());
        Assert.Equal((1, 2, 1), await CountAsync());
        await queues.DeleteQueueAsync(new DeleteQueueRequest { Queue = "full" }, CoordinatorProcess.Deadline());
        await coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = session }, CoordinatorProcess.Deadline());
        Assert.Equal((0, 1, 0), await CountAsync());

        static QueueItem Item() => new() { Body = new Payload { Data = Google.Protobuf.ByteString.CopyFromUtf8("item") } };

        async Task<(int, long, long)> CountAsync()
        {
            var status = (await coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status;
            return (status.Sessions, status.Queues, status.QueuedItems);
        }
    }

    [Fact]
    public async Task Recycling_an_unknown_worker_names_the_known_ones()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1");
        var error = await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () =>
            await coordinator.Admin.RecycleWorkersAsync(new RecycleWorkersRequest { Worker = "worker-9" }, CoordinatorProcess.Deadline()));
        Assert.Equal(Grpc.Core.StatusCode.NotFound, error.StatusCode);
        Assert.Contains("worker-1", error.Status.Detail, StringComparison.Ordinal);
    }
}
