using Grpc.Core;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>Part 5, 25: flows of a session, a task's own second acquire, and waits for tasks, as clients see them.</summary>
public sealed class FlowTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    [Fact]
    public async Task Ten_flows_of_one_session_increment_under_one_lock()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync("ten");
        var (name, count) = (Unique("lock"), 0);
        await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
        {
            for (var i = 0; i < 5; i++)
            {
                await using var held = await session.Lock(name).AcquireAsync();
                count++;
            }
        }));
        Assert.Equal(50, count);
    }

    [Fact]
    public async Task Flows_of_a_session_that_wait_for_each_other_are_found_and_others_are_not_called_so()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync("flows");
        var (one, two) = (session.CreateFlow(), session.CreateFlow());
        Assert.NotEqual(one.Name, two.Name);
        var (x, y) = (Unique("x"), Unique("y"));
        var first = await one.Lock(x).AcquireAsync();
        await using var second = await two.Lock(y).AcquireAsync();
        var waiting = one.Lock(y).AcquireAsync();
        await _coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.Object == $"locks/{y}" && edge.WaiterSession == session.Alias));
        Assert.Equal([$"locks/{x}", $"locks/{y}"],
            (await Assert.ThrowsAsync<DeadlockException>(() => two.Lock(x).AcquireAsync())).Cycle.Select(edge => edge.ObjectName).Order());
        // A third flow is not part of the cycle: it waits, and is served.
        var third = session.CreateFlow().Lock(x).AcquireAsync();
        await _coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.Object == $"locks/{x}"));
        await first.DisposeAsync();
        await (await third).DisposeAsync();
        await second.DisposeAsync();
        await (await waiting).DisposeAsync();
    }

    [Fact]
    public async Task A_client_that_holds_a_lock_and_waits_for_the_task_that_needs_it_is_told()
    {
        var (session, name) = (await _coordinator.OpenSessionAsync(), Unique("lock"));
        await _coordinator.Sync.AcquireLockAsync(new AcquireLockRequest { Lock = name, SessionId = session }, Soon);
        var task = (await _coordinator.SubmitAsync(Specs.Json("increment", $$"""{"dict": "{{name}}", "key": "k", "protection": "lock"}""")))
            .Single();
        await _coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.Object == $"locks/{name}"));
        var error = await FailsAsync(
            _coordinator.Tasks.WaitTasksAsync(new WaitTasksRequest { TaskIds = { task }, SessionId = session }, Soon));
        Check(error, StatusCode.Aborted, "DEADLOCK", $"tasks/{task}");
        Assert.Equal([$"locks/{name}", $"tasks/{task}"], error.GetRpcStatus()!.GetDetail<DeadlockCycle>()!.Edges.Select(edge => edge.Object)
            .Order());
        // Without the session the coordinator cannot relate the lock to this caller, so the wait is an ordinary one.
        var pending = await _coordinator.Tasks.WaitTasksAsync(
            new WaitTasksRequest { TaskIds = { task }, Timeout = Specs.Seconds(0) }, Soon);
        Assert.Equal([task], pending.PendingTaskIds);
        await _coordinator.CloseSessionAsync(session);
        Assert.Equal(TaskState.Succeeded, (await _coordinator.WaitAsync([task])).Single().State);
    }

    [Fact]
    public async Task A_wait_with_a_session_ends_with_the_task_and_leaves_no_edge()
    {
        var session = await _coordinator.OpenSessionAsync();
        var gate = Unique("gate");
        await _coordinator.Sync.AcquireLockAsync(new AcquireLockRequest { Lock = gate, SessionId = session }, Soon);
        var task = (await _coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 600000}"""))).Single();
        var waiting = _coordinator.Tasks.WaitTasksAsync(
            new WaitTasksRequest { TaskIds = { task }, SessionId = session }, Soon).ResponseAsync;
        await _coordinator.UntilWaitsAsync(
            edges => edges.Any(edge => edge.Object == $"tasks/{task}" && edge.WaiterSession == SessionAlias.Of(session)));
        await _coordinator.Tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { task } }, Soon);
        Assert.Equal(TaskState.Cancelled, (await waiting).Done.Single().State);
        await _coordinator.UntilWaitsAsync(edges => edges.All(edge => edge.Object != $"tasks/{task}"));
        await RefusesAsync(
            _coordinator.Tasks.WaitTasksAsync(new WaitTasksRequest
            {
                TaskIds =
                { (await _coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 600000}"""))).Single() },
                SessionId = "none"
            }, Soon),
            StatusCode.Aborted, "SESSION_LOST", "none");
        await _coordinator.CloseSessionAsync(session);
    }

    private Task<OrchestratorClient> ConnectAsync() =>
        OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { DataDirectory = _coordinator.DataDirectory });
}
