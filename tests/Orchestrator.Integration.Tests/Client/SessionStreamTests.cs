using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Client;

/// <summary>The one stream of a session: its reader may resume a caller, and never depends on what that caller does next.</summary>
public sealed class SessionStreamTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_caller_that_blocks_the_thread_on_which_it_was_resumed_gets_its_next_outcome()
    {
        await using var client = await ClientAsync();
        await using var session = await client.OpenSessionAsync("blocking");
        var value = session.Value(Unique("n"));
        await Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++)
            {
                await value.AddAsync(1);
                Assert.True(Blocking(value.AddAsync(1)), "the reader waits for a caller that waits for the reader");
            }
        }).WaitAsync(s_patience);
        Assert.Equal(400, await value.ReadAsync());
    }

    [Fact]
    public async Task A_caller_that_never_comes_back_keeps_nobody_else()
    {
        await using var client = await ClientAsync();
        await using var session = await client.OpenSessionAsync("stuck");
        var value = session.Value(Unique("n"));
        using var release = new ManualResetEventSlim();
        var stuck = Enumerable.Range(0, 3).Select(_ => StuckAsync()).ToArray();
        await Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++)
                await value.AddAsync(1);
            await session.Event(Unique("never")).TryWaitAsync(TimeSpan.FromMilliseconds(1));
        }).WaitAsync(s_patience);
        Assert.All(stuck, task => Assert.False(task.IsCompleted));
        release.Set();
        await Task.WhenAll(stuck).WaitAsync(s_patience);
        Assert.Equal(203, await value.ReadAsync());

        async Task StuckAsync()
        {
            await value.AddAsync(1);
            Assert.True(release.Wait(s_patience));
        }
    }

    [Fact]
    public async Task A_caller_may_end_the_session_from_where_it_was_resumed_and_block_for_that()
    {
        await using var client = await ClientAsync();
        var session = await client.OpenSessionAsync("ending");
        var waiting = session.Event(Unique("never")).WaitAsync();
        await Task.Run(async () =>
        {
            await session.Value(Unique("n")).AddAsync(1);
            Assert.True(Blocking(session.DisposeAsync().AsTask()));
        }).WaitAsync(s_patience);
        await Assert.ThrowsAnyAsync<OrchestratorException>(() => waiting.WaitAsync(s_patience));
        await Assert.ThrowsAnyAsync<OrchestratorException>(() => session.Event("e").WaitAsync());
    }

    /// <summary>
    /// More than one message holds, so that the writer needs several messages; and every other operation is given up at once.
    /// </summary>
    [Fact]
    public async Task Thousands_of_waits_at_once_are_served_or_given_up_each_for_itself()
    {
        const int Waits = 4_000;
        await using var client = await ClientAsync();
        await using var session = await client.OpenSessionAsync("many");
        var name = Unique("gate");
        using var giveUp = new CancellationTokenSource();
        var waits = Enumerable.Range(0, Waits).Select(
            i => session.Event(name).WaitAsync(i % 2 == 0 ? giveUp.Token : CancellationToken.None)).ToArray();
        await giveUp.CancelAsync();
        for (var i = 0; i < Waits; i += 2)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits[i].WaitAsync(s_patience));
        Assert.All(waits.Where((_, i) => i % 2 == 1), wait => Assert.False(wait.IsCompleted));
        await session.Event(name).SetAsync();
        await Task.WhenAll(waits.Where((_, i) => i % 2 == 1)).WaitAsync(s_patience);
    }

    [Fact]
    public async Task Large_and_small_operations_side_by_side_come_through_in_order()
    {
        await using var client = await ClientAsync();
        await using var session = await client.OpenSessionAsync("large");
        var queue = Unique("queue");
        await client.Contract.CreateQueueAsync(new QueueSpec { Name = queue, MaxItems = 1_000, MaxBytes = 100_000_000 });
        // One caller, without awaiting each put: puts take effect in the order of their calls.
        var puts = Enumerable.Range(0, 500).Select(
            i => session.Queue(queue).PutAsync(Payloads.FromBytes(new byte[i % 10 == 0 ? 900_000 : i]))).ToArray();
        await Task.WhenAll(puts).WaitAsync(s_patience);
        for (var i = 0; i < puts.Length; i++)
            Assert.Equal(i % 10 == 0 ? 900_000 : i, (await session.Queue(queue).GetAsync())!.Data.Length);
        await client.DeleteQueueAsync(queue);
    }

    [Fact]
    public async Task An_operation_that_no_message_can_hold_fails_alone()
    {
        await using var client = await ClientAsync();
        await using var session = await client.OpenSessionAsync("too large");
        var waiting = session.Event(Unique("never")).WaitAsync();
        var huge = Payloads.FromBytes(new byte[Protocol.ProtocolConstants.LargestMessageBytes]);
        var error = await Assert.ThrowsAnyAsync<OrchestratorException>(() => session.Dict(Unique("d")).SetAsync("key", huge));
        Assert.Equal(FailureReason.LimitExceeded, error.Reason);
        Assert.Contains("larger than a message may be", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, await session.Value(Unique("n")).AddAsync(1));
        Assert.False(waiting.IsCompleted);
    }

    // In its own method, since tests must not block: blocking is what this test needs.
    private static bool Blocking(Task task) => task.Wait(s_patience);

    private Task<OrchestratorClient> ClientAsync() =>
        OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { Endpoint = shared.Coordinator.GrpcAddress, Token = shared.Coordinator.Token });
}
