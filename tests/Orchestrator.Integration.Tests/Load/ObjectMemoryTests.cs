using Google.Protobuf;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Load;

/// <summary>The memory of deleted shared objects is free for others.</summary>
/// <remarks>The long form is a million items: <c>ORCHESTRATOR_MEMORY_ITEMS=1000000</c>.</remarks>
[Trait("Kind", "slow")]
public sealed class ObjectMemoryTests
{
    private const long FirstRoundBytes = 60_000_000;

    // A check that came while this test was slow, and found nothing to return, delays the next check by a minute.
    private const int ReturnSeconds = 120;

    // A tenth of the sessions is reserved for tasks.
    private const int MostSessions = 90_000;

    private readonly int _items = Settings.Number("ORCHESTRATOR_MEMORY_ITEMS", 100_000);

    [Fact]
    public async Task Queued_items_again_and_again_take_the_room_of_once()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        await RunAsync(coordinator, _items / 10);
        var before = ProcessUsage.Of(coordinator);
        var first = await RunAsync(coordinator, _items);
        var last = first;
        for (var i = 0; i < 4; i++)
            last = await RunAsync(coordinator, _items);
        var after = ProcessUsage.Of(coordinator);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"before: {before}; full: {first}; full for the fifth time: {last}; after: {after}");
        Assert.InRange(first.Bytes, before.Bytes + (64L * _items), long.MaxValue);
        Assert.InRange(after.Handles, 0, before.Handles + 10);
        // An idle heap keeps its pages for some seconds. Leaked items would be five times the memory of one round.
        Assert.InRange(last.Bytes - before.Bytes, 0, 2 * (first.Bytes - before.Bytes));
    }

    [Theory]
    [InlineData("items")]
    [InlineData("sessions")]
    public async Task When_all_is_removed_memory_and_handles_are_back_within_a_tenth(string what)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0", "--max-sessions-per-client", "100000");
        var fresh = ProcessUsage.Of(coordinator);
        Func<int, Task> fill = what == "items" ? count => RunAsync(coordinator, count) : count => HoldLocksAsync(coordinator, count);
        // The first round leaves code, threads and buffers for good; the memory that it used up is returned, by the coordinator or by the
        // runtime, of which only the first is an event.
        var most = what == "items" ? _items : Math.Min(MostSessions, _items / 6);
        await fill(most / 2);
        var before = await ProcessUsage.WaitUntilFlatAsync(
            coordinator, fresh, handles: 100, threads: 100, FirstRoundBytes, TimeSpan.FromSeconds(ReturnSeconds));
        await fill(most);
        var full = ProcessUsage.Of(coordinator);
        var after = await ProcessUsage.WaitUntilFlatAsync(
            coordinator, before, before.Handles / 10, threads: 100, before.Bytes / 10, TimeSpan.FromSeconds(ReturnSeconds));
        TestContext.Current.TestOutputHelper?.WriteLine($"before: {before}; when all was gone: {full}; once it was returned: {after}");
    }

    /// <summary>This many sessions at a time, each with a lock; then all end.</summary>
    private static async Task HoldLocksAsync(CoordinatorProcess coordinator, int count)
    {
        const int Callers = 64;
        var sessions = new string[count];
        await EachAsync(async i =>
        {
            sessions[i] = (await coordinator.Sessions.CreateSessionAsync(
                new CreateSessionRequest { Ttl = Specs.Seconds(600) }, CoordinatorProcess.Deadline())).SessionId;
            await coordinator.Sync.AcquireLockAsync(
                new AcquireLockRequest { Lock = $"lock-{i}", SessionId = sessions[i] }, CoordinatorProcess.Deadline());
        });
        await EachAsync(async i => await coordinator.Sessions.CloseSessionAsync(
            new CloseSessionRequest { SessionId = sessions[i] }, CoordinatorProcess.Deadline()));

        async Task EachAsync(Func<int, Task> body)
        {
            var next = -1;
            await Task.WhenAll(Enumerable.Range(0, Callers).Select(async _ =>
            {
                for (int i; (i = Interlocked.Increment(ref next)) < count;)
                    await body(i);
            }));
        }
    }

    /// <summary>Puts this many items and deletes the queue; returns the usage while it was full.</summary>
    private static async Task<ProcessUsage> RunAsync(CoordinatorProcess coordinator, int count)
    {
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { DataDirectory = coordinator.DataDirectory });
        await using var session = await client.OpenSessionAsync("producer");
        await client.Contract.CreateQueueAsync(new QueueSpec { Name = "items", MaxItems = count, MaxBytes = 1L << 30 });
        await session.Queue("items").PutAllAsync(
            Enumerable.Range(0, count).Select(_ => new Payload { Data = ByteString.CopyFrom(new byte[64]) }));
        Assert.Equal(count, (await client.Contract.GetQueueAsync("items")).ReadyItems);
        var full = ProcessUsage.Of(coordinator);
        await client.DeleteQueueAsync("items");
        return full;
    }
}
