using Grpc.Core;
using Orchestrator.Cli.Commands.Objects;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>A task's holds end with its attempt, however the attempt ends.</summary>
public sealed class TaskSessionTests
{
    [Fact]
    public async Task SIGKILL_of_the_worker_passes_its_tasks_locks_on_and_breaks_its_barrier()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--allow-chaos");
        var holder = (await coordinator.SubmitAsync(Specs.Json("hold", """{"locks": ["a", "b"], "ms": 600000}"""))).Single();
        await WaitUntilAsync(coordinator, objects => objects.Count(item => item.Holders.Any(held => held.TaskId == holder)) == 2);
        var pid = await WorkerOfAsync(coordinator, holder);
        var session = (await coordinator.Sessions.CreateSessionAsync(new CreateSessionRequest(), CoordinatorProcess.Deadline())).SessionId;
        var waiting = coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "b", SessionId = session }, CoordinatorProcess.Deadline()).ResponseAsync;
        var seat = (await coordinator.SubmitAsync(Specs.Json("wait_barrier", """{"barrier": "start", "parties": 2}"""))).Single();
        await WaitUntilAsync(coordinator, objects => objects.Any(
            item => item.Object == "barriers/start" && item.Waiters.Any(waiter => waiter.TaskId == seat))
            && objects.Any(item => item.Object == "locks/b" && item.Waiters.Count == 1));
        var token = (await coordinator.Sync.ListSyncAsync(new ListSyncRequest(), CoordinatorProcess.Deadline())).Objects.Single(item =>
            item.Object == "locks/b").Holders.Single().FencingToken;

        foreach (var victim in new[] { pid, await WorkerOfAsync(coordinator, seat) }.Distinct())
            Signals.Send(victim, Signals.Kill);
        var granted = await waiting;
        Assert.Equal(WaitStatus.Ok, granted.Status);
        Assert.True(granted.FencingToken > token);
        // Both ends have been seen by then; before that a second party would complete the barrier.
        Assert.All(await coordinator.WaitAsync([holder, seat]), result => Assert.Equal(TaskState.WorkerLost, result.State));
        var late = await Assert.ThrowsAsync<RpcException>(async () => await coordinator.Sync.WaitBarrierAsync(
            new WaitBarrierRequest { Barrier = "start" }, CoordinatorProcess.Deadline()));
        Assert.Equal("BROKEN_BARRIER", late.GetRpcStatus()?.GetDetail<Google.Rpc.ErrorInfo>()?.Reason);
        Assert.Contains("SIGKILL", late.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_task_that_times_out_gives_back_what_it_held()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var result = await coordinator.RunAsync(Specs.Json(
            "hold", """{"locks": ["slow"], "ms": 600000}""", new TaskOptions { RunTimeout = Specs.Seconds(0.3) }));
        Assert.Equal(TaskState.TimedOut, result.State);
        var session = (await coordinator.Sessions.CreateSessionAsync(new CreateSessionRequest(), CoordinatorProcess.Deadline())).SessionId;
        var acquired = await coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "slow", SessionId = session }, CoordinatorProcess.Deadline());
        Assert.Equal(WaitStatus.Ok, acquired.Status);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(10)]
    public async Task A_deadlock_of_tasks_ends_one_of_them_with_the_whole_cycle_and_lets_the_others_finish(int count)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        // Each task waits at a gate while it holds its first lock, however slow the machine is, and all gates open at once.
        var gates = (await coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { Ttl = Specs.Seconds(600) }, CoordinatorProcess.Deadline())).SessionId;
        for (var i = 0; i < count; i++)
            await coordinator.Sync.AcquireLockAsync(
                new AcquireLockRequest { Lock = $"gate-{i}", SessionId = gates }, CoordinatorProcess.Deadline());
        var ids = await coordinator.SubmitAsync(
            Enumerable.Range(0, count).Select(
                i => Specs.Json("hold", $$"""{"locks": ["ring-{{i}}.", "gate-{{i}}", "ring-{{(i + 1) % count}}."]}""")));
        await WaitUntilAsync(coordinator, objects => objects.Count(
            item => item.Object.StartsWith("locks/gate-", StringComparison.Ordinal) && item.Waiters.Count == 1) == count);
        await coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = gates }, CoordinatorProcess.Deadline());
        var results = (await coordinator.WaitAsync(ids)).ToArray();
        var failed = Assert.Single(results, result => result.State == TaskState.Failed);
        Assert.Equal(count - 1, results.Count(result => result.State == TaskState.Succeeded));
        for (var i = 0; i < count; i++)
            Assert.Contains($"locks/ring-{i}.", failed.Error.Message, StringComparison.Ordinal);
        Assert.Contains("DeadlockException", failed.Error.Type, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tasks_of_two_workers_meet_at_a_barrier_and_keep_to_one_rate()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        await coordinator.Sync.CreateRateLimiterAsync(
            new CreateRateLimiterRequest { Spec = new RateLimiterSpec { Name = "api", Permits = 100, Period = Specs.Seconds(0.1) } },
            CoordinatorProcess.Deadline());
        var results = await coordinator.StreamAsync(
        [
            .. Enumerable.Range(0, 4).Select(i => Specs.Json("wait_barrier", """{"barrier": "all", "parties": 4}""", tag: (ulong)i)),
            .. Enumerable.Range(4, 4).Select(i => Specs.Json("rate_limited", """{"limiter": "api", "times": 50}""", tag: (ulong)i)),
        ]);
        Assert.Equal([0, 1, 2, 3], results.Where(result => result.Tag < 4).Select(result => result.Output.Json.NumberValue).Order());
        Assert.All(results.Where(result => result.Tag >= 4), result => Assert.Equal(50, result.Output.Json.NumberValue));
    }

    [Fact]
    public async Task A_workers_token_opens_the_object_services_and_nothing_else()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync(
            "--worker-command", $"""/bin/sh -c 'read order; echo "$order" >&2; exec sleep 1000'""", "--workers", "0");
        // Only the worker itself knows its token: a wrong one is rejected everywhere.
        var stranger = new SyncService.SyncServiceClient(coordinator.Connect("0000"));
        var error = await Assert.ThrowsAsync<RpcException>(
            async () => await stranger.ListSyncAsync(new ListSyncRequest(), CoordinatorProcess.Deadline()));
        Assert.Equal(StatusCode.Unauthenticated, error.StatusCode);
    }

    private static async Task<int> WorkerOfAsync(CoordinatorProcess coordinator, ulong task)
    {
        var info = (await coordinator.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = task }, CoordinatorProcess.Deadline())).Task;
        return (await coordinator.WorkersAsync()).Single(worker => info.Attempts[^1].Worker == $"{worker.Name}#{worker.Incarnation}").Pid;
    }

    private static async Task WaitUntilAsync(CoordinatorProcess coordinator, Func<IReadOnlyList<SyncInfo>, bool> condition)
    {
        await UntilAsync(async () => condition(
            (await coordinator.Sync.ListSyncAsync(new ListSyncRequest { PageSize = 1_000 }, CoordinatorProcess.Deadline())).Objects));
    }
}
