using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>
/// The coordinator is killed and restarted: the client reconnects by itself, and each task either has a result or is reported as lost.
/// </summary>
[Trait("Kind", "slow")]
public sealed class ReconnectTests
{
    [Fact]
    public async Task After_a_killed_coordinator_open_tasks_are_lost_and_new_ones_run()
    {
        await using var first = await CoordinatorProcess.StartAsync();
        await using var client = await SdkFixture.ConnectAsync(first);
        var running = await client.SubmitAsync<int>("sleep", new { ms = 600_000 }).Soon();
        var waiting = client.RunAsync<int>("sleep", new { ms = 600_000 });
        await running.UntilRunningAsync().Soon();
        var following = Task.Run(async () =>
        {
            await foreach (var unused in running.EventsAsync())
            {
            }
        });
        first.Kill();
        await first.WaitForExitAsync();
        await using var second = await first.StartAgainAsync();
        var lost = await Assert.ThrowsAsync<TaskLostException>(() => running.Soon());
        Assert.Equal(running.Id, lost.TaskId);
        Assert.Contains("started again", lost.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<TaskLostException>(() => waiting.Soon());
        await Assert.ThrowsAsync<TaskLostException>(() => following.Soon());
        Assert.Equal("back", await client.RunAsync<string>("echo", "back").Soon());
    }

    [Fact]
    public async Task Each_task_whose_end_was_not_seen_is_found_again_where_it_is_durable_and_lost_where_it_is_not()
    {
        await using var first = await CoordinatorProcess.StartAsync();
        await using var client = await SdkFixture.ConnectAsync(first);
        var durable = new RunOptions { Durability = DurabilityLevel.Process };
        var repeatable = durable with { Retry = new RetryOptions { RetryOnWorkerLost = true } };
        var one = new RunOptions { ConcurrencyKey = "one", ConcurrencyLimit = 1 };
        var seen = await client.SubmitAsync<int>("echo", 1, durable).Soon();
        Assert.Equal(1, await seen.Soon());

        var running = await client.SubmitAsync<int>("sleep", new { ms = 600_000 }, one).Soon();
        var onceOnly = await client.SubmitAsync<int>("sleep", new { ms = 600_000 }, durable).Soon();
        var again = await client.SubmitAsync<int>("sleep", new { ms = 1_000 }, repeatable).Soon();
        foreach (var task in (TaskHandle<int>[])[running, onceOnly, again])
            await task.UntilRunningAsync().Soon();
        // Queued behind the running task with their key.
        var queued = await client.SubmitAsync<int>("echo", 2, one).Soon();
        var queuedDurable = await client.SubmitAsync<int>("echo", 3, one with { Durability = DurabilityLevel.Disk }).Soon();
        first.Kill();
        await first.WaitForExitAsync();
        await using var second = await first.StartAgainAsync();

        Assert.Equal(running.Id, (await Assert.ThrowsAsync<TaskLostException>(() => running.Soon())).TaskId);
        Assert.Equal(queued.Id, (await Assert.ThrowsAsync<TaskLostException>(() => queued.Soon())).TaskId);
        Assert.Equal(onceOnly.Id, (await Assert.ThrowsAsync<WorkerLostException>(() => onceOnly.Soon())).TaskId);
        Assert.Equal(1_000, await again.Soon());
        Assert.Equal(3, await queuedDurable.Soon());
        Assert.Equal(1, await seen.Soon());
    }

    [Fact]
    public async Task A_submission_made_while_the_coordinator_is_away_waits_for_it()
    {
        await using var first = await CoordinatorProcess.StartAsync();
        await using var client = await SdkFixture.ConnectAsync(first);
        Assert.Equal(1, await client.RunAsync<int>("echo", 1).Soon());
        first.Kill();
        await first.WaitForExitAsync();
        await UntilAsync(async () =>
        {
            await Task.Yield();
            return !client.IsConnected;
        });
        var waiting = client.RunAsync<int>("echo", 2);
        await using var second = await first.StartAgainAsync();
        Assert.Equal(2, await waiting.Soon());
    }

    [Fact]
    public async Task A_map_over_a_restart_accounts_for_each_input_once()
    {
        await using var first = await CoordinatorProcess.StartAsync();
        await using var client = await SdkFixture.ConnectAsync(first);
        var killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        CoordinatorProcess? second = null;
        var succeeded = new HashSet<long>();
        var lost = new HashSet<long>();
        await foreach (var outcome in client.MapOutcomesAsync<int, int>("echo", Inputs(), new MapOptions { MaxInFlight = 500 }))
        {
            if (outcome.Succeeded)
            {
                Assert.Equal(outcome.Index, outcome.Output);
                Assert.True(succeeded.Add(outcome.Index));
            }
            else
            {
                Assert.IsType<TaskLostException>(outcome.Error);
                Assert.True(lost.Add(outcome.Index));
            }

            if (outcome.Index != 5_000)
                continue;
            first.Kill();
            await first.WaitForExitAsync();
            second = await first.StartAgainAsync();
        }

        await using var ended = second!;
        Assert.Equal(20_000, succeeded.Count + lost.Count);
        Assert.Empty(succeeded.Intersect(lost));
        // No more than were in flight; and all that were submitted after the restart ran.
        Assert.InRange(lost.Count, 0, 500);
        Assert.Contains(19_999, succeeded);

        static IEnumerable<int> Inputs() => Enumerable.Range(0, 20_000);
    }

    [Fact]
    public async Task Tasks_that_may_run_twice_are_submitted_again()
    {
        await using var first = await CoordinatorProcess.StartAsync();
        await using var client = await SdkFixture.ConnectAsync(first);
        var handle = await client.SubmitAsync<int>("sleep", new { ms = 1_500 }, new RunOptions { ResubmitWhenLost = true }).Soon();
        await handle.UntilRunningAsync().Soon();
        first.Kill();
        await first.WaitForExitAsync();
        await using var second = await first.StartAgainAsync();
        Assert.Equal(1_500, await handle.Soon());
    }

    [Fact]
    public async Task Without_a_coordinator_the_client_gives_up_after_its_patience()
    {
        var first = await CoordinatorProcess.StartAsync();
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { DataDirectory = first.DataDirectory, ReconnectFor = TimeSpan.FromMilliseconds(200) });
        var running = await client.SubmitAsync<int>("sleep", new { ms = 600_000 }).Soon();
        first.Kill();
        await first.DisposeAsync();
        await Assert.ThrowsAsync<TaskLostException>(() => running.Soon());
        await Assert.ThrowsAsync<CoordinatorUnavailableException>(() => client.RunAsync<int>("echo", 1).Soon());
        await Assert.ThrowsAsync<CoordinatorUnavailableException>(() => client.SubmitAsync<int>("echo", 1).Soon());
        await Assert.ThrowsAsync<CoordinatorUnavailableException>(async () =>
        {
            await foreach (var unused in client.MapAsync<int, int>("echo", [1]))
            {
            }
        });
    }

    [Fact]
    public async Task A_broken_connection_finds_its_tasks_again()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        await using var relay = new FaultRelay(coordinator.GrpcAddress);
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { Endpoint = relay.Address, Token = coordinator.Token });
        await using var other = await SdkFixture.ConnectAsync(coordinator);
        await using var session = await other.OpenSessionAsync("gate");
        var gate = await session.Lock("relay-gate").AcquireAsync();
        var handle = await client.SubmitAsync<ulong[]>("hold", new { locks = new[] { "relay-gate" }, ms = 0 }).Soon();
        await handle.UntilRunningAsync().Soon();
        Assert.True(relay.CutAll() > 0);
        await gate.DisposeAsync();
        Assert.Single(await handle.Soon());
        var info = await other.Contract.GetTaskAsync(handle.Id);
        Assert.Equal((TaskState.Succeeded, 1), (info.State, info.Attempts.Count));
    }
}
