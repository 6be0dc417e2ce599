using Google.Rpc;
using Grpc.Core;
using Orchestrator.Client.Tasks;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Load;

/// <summary>One client's limits and share: its excess is rejected, and other clients are not affected (F28).</summary>
public sealed class ClientLimitTests
{
    [Fact]
    public async Task Each_bound_of_a_client_is_told_with_its_name_and_does_not_touch_others()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync(
            "--max-tasks-per-client", "3", "--max-bytes-per-client", "100000", "--max-sessions-per-client", "2", "--max-streams-per-client",
            "2");
        var (_, token) = new TokenFiles(coordinator.DataDirectory, TimeProvider.System).Create(Role.Submit, null, "tenant");
        var greedy = coordinator.Connect(token);
        var tasks = new TaskService.TaskServiceClient(greedy);
        var endless = Specs.Json("sleep", """{"ms": 600000}""");
        var ids = (await tasks.SubmitTasksAsync(
            new SubmitTasksRequest { Tasks = { endless, endless, endless } }, CoordinatorProcess.Deadline())).TaskIds;
        AssertQuota(await Assert.ThrowsAsync<RpcException>(async () => await tasks.RunTaskAsync(
            new RunTaskRequest { Task = endless }, CoordinatorProcess.Deadline())), "tasks_per_client");
        // Another connection is still the same client.
        AssertQuota(
            await Assert.ThrowsAsync<RpcException>(async () => await new TaskService.TaskServiceClient(coordinator.Connect(token))
                .RunTaskAsync(new RunTaskRequest { Task = endless }, CoordinatorProcess.Deadline())),
            "tasks_per_client");
        // Another client is not blocked.
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("sum_of_squares", """{"n": 3}"""))).State);
        await tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { ids } }, CoordinatorProcess.Deadline());
        await tasks.WaitTasksAsync(new WaitTasksRequest { TaskIds = { ids } }, CoordinatorProcess.Deadline());
        AssertQuota(
            await Assert.ThrowsAsync<RpcException>(async () => await tasks.RunTaskAsync(
                new RunTaskRequest { Task = Specs.Bytes("echo", new byte[100_001]) }, CoordinatorProcess.Deadline())),
            "payload_bytes_per_client");

        var sessions = new SessionService.SessionServiceClient(greedy);
        for (var i = 0; i < 2; i++)
            await sessions.CreateSessionAsync(new CreateSessionRequest { Ttl = Specs.Seconds(600) }, CoordinatorProcess.Deadline());
        AssertQuota(await Assert.ThrowsAsync<RpcException>(async () => await sessions.CreateSessionAsync(
            new CreateSessionRequest(), CoordinatorProcess.Deadline())), "sessions_per_client");

        var admin = new AdminService.AdminServiceClient(greedy);
        var streams = new List<AsyncServerStreamingCall<WatchStatusResponse>>();
        for (var i = 0; i < 2; i++)
        {
            streams.Add(admin.WatchStatus(new WatchStatusRequest(), CoordinatorProcess.Deadline()));
            Assert.True(await streams[^1].ResponseStream.MoveNext(CancellationToken.None));
        }

        using (var third = admin.WatchStatus(new WatchStatusRequest(), CoordinatorProcess.Deadline()))
            AssertQuota(
                await Assert.ThrowsAsync<RpcException>(() => third.ResponseStream.MoveNext(CancellationToken.None)), "streams_per_client");
        var limits =
            (await admin.ListLimitsAsync(new ListLimitsRequest(), CoordinatorProcess.Deadline())).Limits.ToDictionary(limit => limit.Name);
        Assert.Equal((3, 0), (limits["tasks_per_client"].Maximum, limits["tasks_per_client"].Used));
        Assert.Equal((100_000, 0), (limits["payload_bytes_per_client"].Maximum, limits["payload_bytes_per_client"].Used));
        Assert.Equal((2, 2), (limits["sessions_per_client"].Maximum, limits["sessions_per_client"].Used));
        Assert.Equal((2, 2), (limits["streams_per_client"].Maximum, limits["streams_per_client"].Used));
        streams.ForEach(stream => stream.Dispose());
    }

    [Fact]
    public async Task A_client_with_ten_times_the_work_leaves_another_at_least_nine_tenths_of_its_share()
    {
        // Without a worker until both have submitted everything; then the order of the starts shows the shares, not the durations.
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0", "--hot-spares", "0");
        var (greedy, modest) =
            (new TaskService.TaskServiceClient(coordinator.Connect()), new TaskService.TaskServiceClient(coordinator.Connect()));
        var task = Specs.Json("sum_of_squares", """{"n": 100}""");
        var many = (await greedy.SubmitTasksAsync(
            new SubmitTasksRequest { Tasks = { Enumerable.Repeat(task, 2_000) } }, CoordinatorProcess.Deadline())).TaskIds;
        var few = (await modest.SubmitTasksAsync(
            new SubmitTasksRequest { Tasks = { Enumerable.Repeat(task, 200) } }, CoordinatorProcess.Deadline())).TaskIds;
        await coordinator.Admin.ScaleWorkersAsync(new ScaleWorkersRequest { Workers = 1 }, CoordinatorProcess.Deadline());
        var starts = (await coordinator.WaitAsync([.. many, .. few], seconds: 60)).ToDictionary(result => result.TaskId, result =>
            result.Timing.AcceptedAt.ToDateTime() + result.Timing.Queued.ToTimeSpan() + result.Timing.Dispatch.ToTimeSpan());
        var last = few.Max(id => starts[id]);
        var before = many.Count(id => starts[id] < last);
        Assert.True(before <= 200 / 0.9, $"{before} of the greedy client's tasks started before the last of the modest one's 200");
    }

    private static void AssertQuota(RpcException exception, string limit)
    {
        Assert.Equal(StatusCode.ResourceExhausted, exception.StatusCode);
        var status = exception.GetRpcStatus()!;
        Assert.Equal("LIMIT_EXCEEDED", status.GetDetail<ErrorInfo>()!.Reason);
        Assert.NotNull(status.GetDetail<RetryInfo>()!.RetryDelay);
        var violation = Assert.Single(status.GetDetail<QuotaFailure>()!.Violations);
        Assert.Equal("client:tenant", violation.Subject);
        Assert.Contains(limit, violation.Description, StringComparison.Ordinal);
    }
}
