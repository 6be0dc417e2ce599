using Google.Rpc;
using Grpc.Core;
using Orchestrator.Client.Tasks;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Load;

/// <summary>
/// More than fits into the coordinator's memory: rejected with advice, while others go on; freed memory is available again once the work
/// has ended.
/// </summary>
[Trait("Kind", "slow")]
public sealed class OverloadTests(ITestOutputHelper output)
{
    private const long Budget = 240L << 20;
    private const int Size = 100_000;

    [Fact]
    public async Task A_flood_of_tasks_is_refused_within_the_memory_budget_and_others_keep_their_share()
    {
        // Without a worker, so that accepted tasks stay; then the order of the starts shows each client's share, not the durations.
        await using var coordinator = await CoordinatorProcess.StartAsync(
            "--memory-budget", "240MB", "--workers", "0", "--hot-spares", "0");
        var tokens = new TokenFiles(coordinator.DataDirectory, TimeProvider.System);
        var greedy = new TaskService.TaskServiceClient(coordinator.Connect(tokens.Create(Role.Submit, null, "greedy").Token));
        var modest = new TaskService.TaskServiceClient(coordinator.Connect(tokens.Create(Role.Submit, null, "modest").Token));
        var large = Specs.Bytes("sha256", new byte[Size]);
        var accepted = new List<ulong>();
        RpcException? refusal = null;
        for (var i = 0; refusal is null; i++)
        {
            Assert.True(i * 10L * Size < 2 * Budget, "it never refused");
            try
            {
                accepted.AddRange((await greedy.SubmitTasksAsync(
                    new SubmitTasksRequest { Tasks = { Enumerable.Repeat(large, 10) } }, CoordinatorProcess.Deadline())).TaskIds);
            }
            catch (RpcException exception)
            {
                refusal = exception;
            }
        }

        AssertAdvice(refusal, "client:greedy", "memory_kept_per_client");
        // Three times as much as there is room for: none of it is kept.
        for (var i = 0; i < 30; i++)
            AssertAdvice(await Assert.ThrowsAsync<RpcException>(async () => await greedy.SubmitTasksAsync(new SubmitTasksRequest
            {
                Tasks =
                { Enumerable.Repeat(large, 100) }
            }, CoordinatorProcess.Deadline())), "client:greedy", "memory_kept_per_client");
        // Part 9: an operator is told, once for all of them.
        var shed = await coordinator.WaitForEventAsync("task.shed");
        Assert.Contains("memory_kept_per_client", shed.Message, StringComparison.Ordinal);
        var limits = await LimitsAsync(coordinator);
        Assert.Equal(Budget, limits["memory"].Maximum);
        Assert.Equal(Budget / 2, limits["memory_kept"].Maximum);
        Assert.InRange(limits["memory_kept"].Used, accepted.Count * (long)Size, (long)(Budget / 2 * 0.8));
        output.WriteLine($"{accepted.Count} tasks of {Size} bytes; {limits["memory_kept"].Used:N0} kept, {ProcessUsage.Of(coordinator)}");

        var small = Specs.Json("sum_of_squares", """{"n": 100}""");
        var few = (await modest.SubmitTasksAsync(
            new SubmitTasksRequest { Tasks = { Enumerable.Repeat(small, 100) } }, CoordinatorProcess.Deadline())).TaskIds;
        await coordinator.Admin.ScaleWorkersAsync(new ScaleWorkersRequest { Workers = 1 }, CoordinatorProcess.Deadline());
        var starts = (await coordinator.WaitAsync([.. accepted, .. few], seconds: 60)).ToDictionary(result => result.TaskId, result =>
            result.Timing.AcceptedAt.ToDateTime() + result.Timing.Queued.ToTimeSpan() + result.Timing.Dispatch.ToTimeSpan());
        var last = few.Max(id => starts[id]);
        Assert.InRange(accepted.Count(id => starts[id] < last), 0, 100 / 0.9);
        // Finished tasks free their memory: the same flood is accepted again.
        await greedy.SubmitTasksAsync(new SubmitTasksRequest { Tasks = { Enumerable.Repeat(large, 10) } }, CoordinatorProcess.Deadline());
    }

    [Fact]
    public async Task A_flood_of_items_is_refused_within_the_memory_budget_and_tasks_go_on()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--memory-budget", "240MB");
        var tenant = coordinator.Connect(
            new TokenFiles(coordinator.DataDirectory, TimeProvider.System).Create(Role.Submit, null, "tenant").Token);
        var queues = new QueueService.QueueServiceClient(tenant);
        var body = new Payload { Data = Google.Protobuf.ByteString.CopyFrom(new byte[Size]) };
        await queues.CreateQueueAsync(new CreateQueueRequest
        {
            Spec = new QueueSpec
            {
                Name = "flood",
                Kind = QueueKind.Fifo,
                MaxItems = 1_000_000,
                MaxBytes = 16L << 30
            }
        }, CoordinatorProcess.Deadline());
        RpcException? refusal = null;
        var put = 0;
        for (; refusal is null; put++)
        {
            Assert.True(put * (long)Size < 2 * Budget, "it never refused");
            try
            {
                await queues.PutAsync(
                    new PutRequest { Queue = "flood", Items = { new QueueItem { Body = body } } }, CoordinatorProcess.Deadline());
            }
            catch (RpcException exception)
            {
                refusal = exception;
            }
        }

        AssertAdvice(refusal, "client:tenant", "object_bytes_per_client");
        var update = new UpdateDictRequest { Dict = "d", Edits = { new DictEdit { Key = "k", Set = body } } };
        AssertAdvice(
            await Assert.ThrowsAsync<RpcException>(
                async () => await new StateService.StateServiceClient(tenant).UpdateDictAsync(update, CoordinatorProcess.Deadline())),
            "client:tenant",
            "object_bytes_per_client");
        // Part 5, 17: another client still has its share.
        await new StateService.StateServiceClient(coordinator.Invoker).UpdateDictAsync(update, CoordinatorProcess.Deadline());
        output.WriteLine($"{put} items; {(await LimitsAsync(coordinator))["memory_kept"].Used:N0} kept, {ProcessUsage.Of(coordinator)}");
        // Tasks have room of their own, with their results.
        var results = await coordinator.StreamAsync(Enumerable.Range(0, 50).Select(i => Specs.Bytes("echo", new byte[Size], (ulong)i)));
        Assert.All(results, result => Assert.Equal(TaskState.Succeeded, result.State));
        await queues.DeleteQueueAsync(new DeleteQueueRequest { Queue = "flood" }, CoordinatorProcess.Deadline());
        await new StateService.StateServiceClient(coordinator.Invoker).UpdateDictAsync(
            new UpdateDictRequest { Dict = "d", Edits = { new DictEdit { Key = "k", Set = body } } }, CoordinatorProcess.Deadline());
    }

    [Fact]
    public async Task A_result_that_finds_no_room_fails_its_task_and_says_so()
    {
        // Small inputs that are all accepted at once, with unfetched results of three megabytes each: one and a half times the available
        // room.
        const int Tasks = 60;
        await using var coordinator = await CoordinatorProcess.StartAsync("--memory-budget", "240MB");
        var ids = await coordinator.SubmitAsync(
            Enumerable.Repeat(Specs.Json("mandelbrot", """{"width": 2000, "height": 1500, "iterations": 2}"""), Tasks));
        var results = new List<TaskResult>();
        foreach (var id in ids)
            results.Add((await WaitForEndAsync(coordinator, id)).Result);
        var failed = results.First(result => result.State != TaskState.Succeeded);
        Assert.Equal((TaskState.Failed, ErrorReason.LimitExceeded), (failed.State, failed.Error.Reason));
        Assert.Contains("memory_kept", failed.Error.Message, StringComparison.Ordinal);
        Assert.True((await LimitsAsync(coordinator))["memory_kept"] is var kept && kept.Used <= kept.Maximum);
        var succeeded = results.Count(result => result.State == TaskState.Succeeded);
        Assert.InRange(succeeded, 1, Tasks - 1);
        output.WriteLine($"{succeeded} of {Tasks} results of 3 MB kept; {ProcessUsage.Of(coordinator)}");
        Assert.Equal(TaskState.Succeeded, results[0].State);
    }

    private static async Task<TaskInfo> WaitForEndAsync(CoordinatorProcess coordinator, ulong id)
    {
        TaskInfo? info = null;
        await Waits.UntilAsync(async () =>
        {
            info = (await coordinator.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = id }, CoordinatorProcess.Deadline())).Task;
            return info.State is not (TaskState.Queued or TaskState.Running);
        });
        return info!;
    }

    private static async Task<Dictionary<string, Limit>> LimitsAsync(CoordinatorProcess coordinator) =>
        (await coordinator.Admin.ListLimitsAsync(
            new ListLimitsRequest(), CoordinatorProcess.Deadline())).Limits.ToDictionary(limit => limit.Name);

    private static void AssertAdvice(RpcException exception, string subject, string limit)
    {
        Assert.Equal(StatusCode.ResourceExhausted, exception.StatusCode);
        var status = exception.GetRpcStatus()!;
        Assert.Equal("LIMIT_EXCEEDED", status.GetDetail<ErrorInfo>()!.Reason);
        Assert.NotNull(status.GetDetail<RetryInfo>()!.RetryDelay);
        var violation = Assert.Single(status.GetDetail<QuotaFailure>()!.Violations);
        Assert.Equal(subject, violation.Subject);
        Assert.Contains(limit, violation.Description, StringComparison.Ordinal);
    }
}
