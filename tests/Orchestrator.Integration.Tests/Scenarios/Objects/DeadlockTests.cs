using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>
/// Cycles over more than locks, as a program sees them over its session's stream: an exception that carries the whole cycle.
/// </summary>
public sealed class DeadlockTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    [Fact]
    public async Task A_cycle_over_a_semaphore_is_told_with_its_edges()
    {
        await using var client = await ConnectAsync();
        await using var one = await client.OpenSessionAsync("one");
        await using var two = await client.OpenSessionAsync("two");
        var (lockName, semaphore) = (Unique("lock"), Unique("semaphore"));
        await using var held = await one.Lock(lockName).AcquireAsync();
        var permit = await two.Semaphore(semaphore, initialPermits: 1, bounded: true).AcquireAsync();
        var waiting = one.Semaphore(semaphore).AcquireAsync();
        await UntilWaitingAsync($"semaphores/{semaphore}");
        var error = await Assert.ThrowsAsync<DeadlockException>(() => two.Lock(lockName).AcquireAsync());
        CheckCycle(error, ("two", $"locks/{lockName}", "one"), ("one", $"semaphores/{semaphore}", "two"));
        await CheckHistoryAsync(client, $"locks/{lockName}", $"semaphores/{semaphore}");
        // The session with the error gives way, and the other goes on.
        await permit.DisposeAsync();
        await (await waiting).DisposeAsync();
    }

    [Fact]
    public async Task A_cycle_over_the_join_of_a_queue_is_told_with_its_edges()
    {
        await using var client = await ConnectAsync();
        await using var joiner = await client.OpenSessionAsync("joiner");
        await using var consumer = await client.OpenSessionAsync("consumer");
        var lockName = Unique("lock");
        var queue = (await client.Contract.CreateQueueAsync(new QueueSpec { Name = Unique("queue") })).Spec.Name;
        await joiner.Queue(queue).PutAsync(Text("job"));
        await using var held = await joiner.Lock(lockName).AcquireAsync();
        var item = await consumer.Queue(queue).LeaseAsync();
        var joining = joiner.Queue(queue).JoinAsync();
        await UntilWaitingAsync($"queues/{queue}");
        var error = await Assert.ThrowsAsync<DeadlockException>(() => consumer.Lock(lockName).AcquireAsync());
        CheckCycle(error, ("consumer", $"locks/{lockName}", "joiner"), ("joiner", $"queues/{queue}", "consumer"));
        await item!.CompleteAsync(CancellationToken.None);
        await joining;
    }

    private static void CheckCycle(DeadlockException error, params (string, string, string)[] edges) =>
        Assert.Equal(edges.Order(), error.Cycle.Select(edge => (edge.WaiterName, edge.ObjectName, edge.HolderName)).Order());

    /// <summary>Operators find the cycle later, too: in the list, in the events, and by the command.</summary>
    private async Task CheckHistoryAsync(OrchestratorClient client, string first, string second)
    {
        var deadlock = (await client.Contract.ListDeadlocksAsync())[^1];
        Assert.Equal(
            [("two", first, "one"), ("one", second, "two")],
            deadlock.Cycle.Edges.Select(edge => (edge.WaiterName, edge.Object, edge.HolderName)));
        Assert.InRange(deadlock.At.ToDateTime(), DateTime.UtcNow.AddMinutes(-5), DateTime.UtcNow.AddMinutes(5));
        var happened = await _coordinator.WaitForEventAsync("deadlock.refused", item => item.Subject == first);
        Assert.Equal(deadlock.Message, happened.Message);
        var shown = await TestKit.CommandLine.RunAsync(["waits", "--refused", "-o", "json", "--data-dir", _coordinator.DataDirectory]);
        Assert.Contains(first, shown.Output, StringComparison.Ordinal);
    }

    private Task UntilWaitingAsync(string name) => UntilAsync(async () =>
        (await _coordinator.Admin.ExplainWaitsAsync(new ExplainWaitsRequest(), Soon)).Edges.Any(edge => edge.Object == name));

    private Task<OrchestratorClient> ConnectAsync() =>
        OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { DataDirectory = _coordinator.DataDirectory });
}
