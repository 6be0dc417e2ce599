using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Tasks;
using Orchestrator.Protocol;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// A wait whose stream broke continues over the next stream and still belongs to its owner: the owner can give it up, and then nothing is
/// granted to it.
/// </summary>
public sealed class ReconnectedWaitTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <param name="ofAttempt">Whether the wait belongs to a task attempt, whose session shares another session's stream.</param>
    /// <param name="cutOff">Whether it is given up while there is no connection, or after the reconnection.</param>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task It_can_be_given_up_and_nothing_is_granted_to_it_later(bool ofAttempt, bool cutOff)
    {
        await using var world = await World.StartAsync(ofAttempt);
        await using var hold = await world.Other.Lock("l").AcquireAsync();
        using var giveUp = new CancellationTokenSource();
        var waiting = world.Session.Lock("l").AcquireAsync(giveUp.Token);
        await world.UntilWaitersAsync(1);
        if (cutOff)
        {
            // Reconnections fail until the test allows them.
            world.Relay.Silence();
            Assert.True(world.Relay.CutAll() > 0);
            await giveUp.CancelAsync();
            Assert.False(waiting.IsCompleted);
            world.Relay.Resume();
        }
        else
        {
            Assert.True(world.Relay.CutAll() > 0);
            // Sent after the wait over the new stream, so that a response proves that the wait was taken over.
            await world.Session.Value("there").AddAsync(1).WaitAsync(s_patience);
            Assert.False(waiting.IsCompleted);
            await world.UntilWaitersAsync(1);
            await giveUp.CancelAsync();
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(s_patience));
        await world.UntilWaitersAsync(0);
        await hold.DisposeAsync();
        await using var free = await world.Other.Lock("l").TryAcquireAsync(TimeSpan.Zero);
        Assert.NotNull(free);
    }

    [Fact]
    public async Task It_is_granted_over_the_new_stream_even_when_that_happened_in_between()
    {
        await using var world = await World.StartAsync(ofAttempt: false);
        var hold = await world.Other.Lock("l").AcquireAsync();
        var waiting = world.Session.Lock("l").AcquireAsync();
        await world.UntilWaitersAsync(1);
        world.Relay.Silence();
        Assert.True(world.Relay.CutAll() > 0);
        await hold.DisposeAsync();
        Assert.Null(await world.Other.Lock("l").TryAcquireAsync(TimeSpan.Zero));
        Assert.False(waiting.IsCompleted);
        world.Relay.Resume();
        await using (var granted = await waiting.WaitAsync(s_patience))
            Assert.True(granted.FencingToken > hold.FencingToken);
        await using var free = await world.Other.Lock("l").AcquireAsync().WaitAsync(s_patience);
    }

    /// <summary>
    /// For each operation it is known whether it was done, however often the stream breaks, and whichever caller gives up.
    /// </summary>
    [Fact]
    public async Task Many_callers_of_one_stream_that_breaks_again_and_again_have_one_outcome_each()
    {
        const int Callers = 32;
        const int Cuts = 20;
        await using var world = await World.StartAsync(ofAttempt: false);
        using var done = new CancellationTokenSource();
        var callers = Enumerable.Range(0, Callers).Select(i => Task.Run(() => WorkAsync(i))).ToArray();
        for (var cut = 0; cut < Cuts; cut++)
        {
            // Each connection can do something before it breaks, most likely in the middle of a message.
            var before = world.Relay.CutsByBytes;
            world.Relay.CutAfter(20_000 + (7_919 * cut % 5_000));
            await UntilAsync(async () =>
            {
                await world.Coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline());
                return world.Relay.CutsByBytes > before;
            });
        }

        await done.CancelAsync();
        var added = (await Task.WhenAll(callers).WaitAsync(s_patience)).Sum();
        Assert.Equal(added, await world.Other.Value("n").ReadAsync());
        Assert.True(added > Cuts);
        // The last releases were posted: another session may come before them, this one's next call does not.
        await (await world.Session.Lock("l", LockMode.Reentrant).AcquireAsync()).ReleaseAsync();
        await using var free = await world.Other.Lock("l").TryAcquireAsync(TimeSpan.Zero);
        Assert.NotNull(free);

        async Task<long> WorkAsync(int caller)
        {
            var count = 0L;
            for (var i = 0; !done.IsCancellationRequested; i++)
            {
                using var giveUp = new CancellationTokenSource();
                var adding = world.Session.Value("n").AddAsync(1, giveUp.Token);
                var locking = world.Session.Lock("l", LockMode.Reentrant).TryAcquireAsync(
                    TimeSpan.FromMilliseconds(caller % 3), giveUp.Token);
                if (i % 4 == caller % 4)
                    await giveUp.CancelAsync();
                try
                {
                    await adding;
                    count++;
                }
                catch (OperationCanceledException)
                {
                    // Given up before it was sent.
                }

                try
                {
                    if (await locking is { } hold)
                        await hold.DisposeAsync();
                }
                catch (OperationCanceledException)
                {
                    // Nothing was granted.
                }
            }

            return count;
        }
    }

    /// <summary>A coordinator, a session over a relay, and another client's session.</summary>
    private sealed class World : IAsyncDisposable
    {
        private readonly List<IAsyncDisposable> _parts = [];

        public CoordinatorProcess Coordinator { get; private set; } = null!;

        public FaultRelay Relay { get; private set; } = null!;

        public CoordinationSession Session { get; private set; } = null!;

        public CoordinationSession Other { get; private set; } = null!;

        public static async Task<World> StartAsync(bool ofAttempt)
        {
            var world = new World();
            world.Coordinator = world.Keep(await CoordinatorProcess.StartAsync("--workers", ofAttempt ? "1" : "0"));
            world.Relay = world.Keep(new FaultRelay(world.Coordinator.GrpcAddress));
            var direct = world.Keep(await ConnectAsync(world.Coordinator, world.Coordinator.GrpcAddress));
            world.Other = world.Keep(await direct.OpenSessionAsync("other"));
            if (ofAttempt)
            {
                var task = (await world.Coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 600000}"""))).Single();
                await world.Coordinator.WaitUntilRunningAsync(task);
                // As a worker does for its tasks.
                world.Session = world.Keep(new SessionPool(world.Relay.Address, world.Coordinator.Token, "gateway")).SessionOf(
                    $"{ProtocolConstants.TaskSessionPrefix}{task}-1");
                // A stream goes on over another connection once the coordinator has named its session.
                await world.Session.Value("there").AddAsync(1);
            }
            else
            {
                var relayed = world.Keep(await ConnectAsync(world.Coordinator, world.Relay.Address));
                world.Session = world.Keep(await relayed.OpenSessionAsync("relayed", TimeSpan.FromMinutes(10)));
            }

            return world;
        }

        /// <summary>Waits until this many sessions wait at the lock.</summary>
        public Task UntilWaitersAsync(int count) => UntilAsync(async () =>
            ((await Coordinator.Sync.ListSyncAsync(new ListSyncRequest(), CoordinatorProcess.Deadline())).Objects
                .SingleOrDefault(item => item.Object == "locks/l")?.Waiters.Count ?? 0) == count);

        public async ValueTask DisposeAsync()
        {
            for (var i = _parts.Count - 1; i >= 0; i--)
                await _parts[i].DisposeAsync();
        }

        private static Task<OrchestratorClient> ConnectAsync(CoordinatorProcess coordinator, string address) =>
            OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { Endpoint = address, Token = coordinator.Token });

        private T Keep<T>(T part)
            where T : IAsyncDisposable
        {
            _parts.Add(part);
            return part;
        }
    }
}
