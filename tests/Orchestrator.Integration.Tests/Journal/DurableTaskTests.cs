using Orchestrator.TestKit;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Journal;

/// <summary>What happens to durable tasks when their coordinator is killed.</summary>
public sealed class DurableTaskTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("orchestrator-journal-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Each_task_goes_on_as_its_policy_says()
    {
        ulong once, again, queued, done, dependent, cancelled, token;
        await using (var coordinator = await StartAsync())
        {
            once = await SubmitAsync(coordinator, "sleep", """{"ms": 600000}""");
            again = await SubmitAsync(coordinator, "sleep", """{"ms": 600000}""",
                options => options.Retry = new RetryPolicy { MaxAttempts = 5, RetryWorkerLost = true });
            done = await SubmitAsync(coordinator, "echo", "42", requestId: "done-once");
            queued = await SubmitAsync(
                coordinator, "sleep", """{"ms": 1}""", options => (options.ConcurrencyKey, options.ConcurrencyLimit) = ("gate", 1));
            dependent = await SubmitAsync(coordinator, "echo", "1", options => options.DependsOn.AddRange([done, again]));
            cancelled = await SubmitAsync(coordinator, "echo", "2", options => options.DependsOn.Add(once));
            await coordinator.Tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { cancelled } }, Soon);
            await coordinator.Tasks.WaitTasksAsync(new WaitTasksRequest { TaskIds = { done, queued } }, Soon);
            await UntilAsync(async () =>
                (await StateAsync(coordinator, once), await StateAsync(coordinator, again)) == (TaskState.Running, TaskState.Running));
            token = (await new SyncService.SyncServiceClient(coordinator.Invoker).AcquireLockAsync(
                new AcquireLockRequest { Lock = "l" }, Soon)).FencingToken;
            await coordinator.KillAndWaitAsync();
        }

        await using var next = await StartAsync();
        var lost = (await next.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = once }, Soon)).Task;
        Assert.Equal((TaskState.WorkerLost, ErrorReason.WorkerLost), (lost.State, lost.Result.Error.Reason));
        Assert.Contains("the coordinator ended", lost.Result.Error.Message, StringComparison.Ordinal);
        await UntilAsync(async () => await StateAsync(next, again) == TaskState.Running);
        Assert.Equal(2, (await next.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = again }, Soon)).Task.Attempts[^1].Number);
        Assert.Equal(42, (await next.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = done }, Soon)).Task.Result.Output.Json.NumberValue);
        Assert.Equal(TaskState.Succeeded, await StateAsync(next, queued));
        Assert.Equal(TaskState.Queued, await StateAsync(next, dependent));
        Assert.Equal(TaskState.Cancelled, await StateAsync(next, cancelled));
        // The same request id joins the task from before the kill; ids and tokens are new.
        Assert.Equal(done, await SubmitAsync(next, "echo", "42", requestId: "done-once"));
        Assert.True(await SubmitAsync(next, "echo", "3") > dependent);
        Assert.True((await new SyncService.SyncServiceClient(next.Invoker).AcquireLockAsync(
            new AcquireLockRequest { Lock = "l" }, Soon)).FencingToken > token);
        await next.Tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { again }, Force = true }, Soon);
        var ended = await next.Tasks.WaitTasksAsync(new WaitTasksRequest { TaskIds = { again, dependent } }, Soon);
        Assert.Equal([TaskState.Cancelled, TaskState.Failed], ended.Done.OrderBy(result => result.TaskId).Select(result => result.State));
    }

    [Fact]
    public async Task A_stop_leaves_what_is_queued_for_the_next_start()
    {
        ulong blocked, waiting;
        await using (var coordinator = await CoordinatorProcess.StartInAsync(
            _directory, "--workers", "0", "--hot-spares", "0", "--drain-timeout", "0s"))
        {
            blocked = await SubmitAsync(coordinator, "echo", "5");
            waiting = await SubmitAsync(coordinator, "echo", "6", options => options.DependsOn.Add(blocked));
            coordinator.Terminate();
            Assert.Equal(0, await coordinator.WaitForExitAsync());
        }

        await using var next = await StartAsync();
        var done = await next.Tasks.WaitTasksAsync(new WaitTasksRequest { TaskIds = { blocked, waiting } }, Soon);
        Assert.Equal([5, 6], done.Done.OrderBy(result => result.TaskId).Select(result => result.Output.Json.NumberValue));
        // A clean end records the used ids, so that the next ones continue from there.
        Assert.Equal(waiting + 1, await SubmitAsync(next, "echo", "7"));
    }

    [Fact]
    public async Task The_ends_of_durable_tasks_stay_in_the_list_when_their_results_have_expired()
    {
        ulong id;
        await using (var coordinator = await StartAsync())
        {
            id = await SubmitAsync(coordinator, "echo", "1", options => options.ResultTtl = Specs.Seconds(0));
            await UntilAsync(
                async () => (await ListAsync(coordinator)).Any(task => task.TaskId == id && task.State == TaskState.Succeeded));
        }

        await using var next = await StartAsync();
        Assert.Equal("echo", (await ListAsync(next)).Single(task => task.TaskId == id).Handler);
    }

    private static async Task<IReadOnlyList<TaskInfo>> ListAsync(CoordinatorProcess coordinator) =>
        (await coordinator.Tasks.ListTasksAsync(new ListTasksRequest(), Soon)).Tasks;

    private Task<CoordinatorProcess> StartAsync() => CoordinatorProcess.StartInAsync(_directory, "--workers", "1", "--hot-spares", "0");

    private static async Task<TaskState> StateAsync(CoordinatorProcess coordinator, ulong id) =>
        (await coordinator.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = id }, Soon)).Task.State;

    private static async Task<ulong> SubmitAsync(
        CoordinatorProcess coordinator, string handler, string input, Action<TaskOptions>? set = null, string requestId = "")
    {
        var options = new TaskOptions { Durability = Durability.Process };
        set?.Invoke(options);
        var spec = Specs.Json(handler, input, options);
        spec.RequestId = requestId;
        return (await coordinator.Tasks.SubmitTasksAsync(new SubmitTasksRequest { Tasks = { spec } }, Soon)).TaskIds.Single();
    }
}
