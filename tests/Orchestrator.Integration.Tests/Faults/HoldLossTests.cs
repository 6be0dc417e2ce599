using System.Diagnostics;
using Orchestrator.Cli.Commands.Objects;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>What a task or a client holds passes on at once when its owner ends, however it ends.</summary>
[Trait("Kind", "slow")]
public sealed class HoldLossTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task SIGKILL_of_a_worker_passes_on_a_lock_a_permit_a_leased_item_a_barrier_seat_and_a_pipe_end()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1");
        await using var world = await WaitersWorld.StartAsync(coordinator, new TaskOptions());
        var worker = (await coordinator.WorkersAsync()).Single();
        var clock = Stopwatch.StartNew();
        Signals.Send(worker.Pid, Signals.Kill);
        await world.CheckAsync(clock, "SIGKILL");
        Assert.All(await coordinator.WaitAsync(world.Tasks), result => Assert.Equal(TaskState.WorkerLost, result.State));
    }

    [Fact]
    public async Task Tasks_that_time_out_pass_on_what_they_held()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1");
        await using var world = await WaitersWorld.StartAsync(coordinator, new TaskOptions { RunTimeout = Specs.Seconds(10) });
        await world.CheckAsync(null, "time-out");
        Assert.All(await coordinator.WaitAsync(world.Tasks), result => Assert.Equal(TaskState.TimedOut, result.State));
    }

    [Fact]
    public async Task A_client_that_vanishes_passes_on_what_it_held_when_its_time_has_passed()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        await using var client = await ConnectAsync(coordinator);
        await using var other = await client.OpenSessionAsync("other");
        await PrepareAsync(client, other);
        // A client that vanished leaves a session that is no longer kept alive.
        var gone = (await coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { DisplayName = "vanished", Ttl = Specs.Seconds(2) }, CoordinatorProcess.Deadline())).SessionId;
        var held = await coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "l", SessionId = gone }, CoordinatorProcess.Deadline());
        await coordinator.Sync.AcquireSemaphoreAsync(
            new AcquireSemaphoreRequest { Semaphore = "s", InitialPermits = 1, SessionId = gone }, CoordinatorProcess.Deadline());
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        Assert.Equal(1, (await queues.GetAsync(
            new GetRequest { Queue = "q", Leased = true, SessionId = gone }, CoordinatorProcess.Deadline())).Items.Single().Delivery);
        var pipes = new PipeService.PipeServiceClient(coordinator.Invoker);
        await pipes.SendAsync(new SendRequest
        {
            Pipe = "p",
            End = PipeEnd.B,
            Messages = { Payloads.FromText("last words") },
            SessionId = gone
        }, CoordinatorProcess.Deadline());

        var permit = other.Semaphore("s").AcquireAsync();
        await CheckPassedOnAsync(other, held.FencingToken);
        await (await permit.WaitAsync(s_patience)).DisposeAsync();
    }

    [Fact]
    public async Task The_holder_of_a_lock_is_told_when_its_coordinator_dies()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        await using var client = await ConnectAsync(coordinator);
        await using var session = await client.OpenSessionAsync("holder");
        await using var hold = await session.Lock("l").AcquireAsync();
        Assert.False(hold.Lost.IsCancellationRequested);
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = hold.Lost.Register(lost.SetResult);
        coordinator.Kill();
        await lost.Task.WaitAsync(s_patience);
    }

    private static async Task PrepareAsync(OrchestratorClient client, CoordinationSession session)
    {
        await client.Contract.CreateQueueAsync(new QueueSpec { Name = "q" });
        await client.Contract.CreatePipeAsync(new PipeSpec { Name = "p", Duplex = true });
        await session.Queue("q").PutAsync(Payloads.FromText("job"));
    }

    private static async Task CheckPassedOnAsync(CoordinationSession other, ulong token)
    {
        await using var hold = await other.Lock("l").AcquireAsync().WaitAsync(s_patience);
        Assert.True(hold.FencingToken > token, $"{hold.FencingToken} must be larger than {token}");
        await using var item = await other.Queue("q").LeaseAsync().WaitAsync(s_patience);
        Assert.Equal(2, item!.DeliveryCount);
        Assert.Equal("last words", (await other.Pipe("p").EndA.ReceiveAsync().WaitAsync(s_patience))!.Json.StringValue);
        Assert.Null(await other.Pipe("p").EndA.ReceiveAsync().WaitAsync(s_patience));
    }

    private static Task<OrchestratorClient> ConnectAsync(CoordinatorProcess coordinator) =>
        OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { DataDirectory = coordinator.DataDirectory });

    /// <summary>Tasks that hold one object of each kind, and a waiter for each.</summary>
    private sealed class WaitersWorld : IAsyncDisposable
    {
        private readonly List<Task> _waits = [];
        private OrchestratorClient _client = null!;
        private CoordinationSession _session = null!;
        private CoordinationSession _partner = null!;
        private ulong _token;

        public IReadOnlyList<ulong> Tasks { get; private set; } = [];

        public static async Task<WaitersWorld> StartAsync(CoordinatorProcess coordinator, TaskOptions options)
        {
            var world = new WaitersWorld { _client = await ConnectAsync(coordinator) };
            world._session = await world._client.OpenSessionAsync("next");
            world._partner = await world._client.OpenSessionAsync("partner");
            await PrepareAsync(world._client, world._session);
            world.Tasks = await coordinator.SubmitAsync(
                Specs.Json("hold", """{"locks": ["l"], "semaphore": "s", "ms": 600000}""", options),
                // Two are requested, one is there: the task holds it while it waits for the other.
                Specs.Json("consume", """{"queue": "q", "count": 2}""", options),
                Specs.Json("wait_barrier", """{"barrier": "b", "parties": 3}""", options),
                Specs.Json("pipe_echo", """{"pipe": "p", "end": "B"}""", options));
            var end = world._session.Pipe("p").EndA;
            await end.SendAsync(Payloads.FromText("last words"));
            await UntilAsync(async () => await world.IsHeldAsync());
            world._token = (await world._client.Contract.ListSyncAsync())
                .Single(item => item.Object == "locks/l").Holders.Single().FencingToken;
            world._waits.Add(world.TakeLockAsync());
            world._waits.Add(world.TakePermitAsync());
            world._waits.Add(world.TakeItemAsync());
            world._waits.Add(world.MeetAsync());
            await UntilAsync(
                async () => (await world._client.Contract.ListSyncAsync())
                    .Count(item => item.Waiters.Any(waiter => waiter.TaskId == 0)) == 3
                && (await world._client.Contract.GetQueueAsync("q")).WaitingGetters == 2);
            return world;
        }

        public async Task CheckAsync(Stopwatch? clock, string cause)
        {
            await Task.WhenAll(_waits).WaitAsync(s_patience);
            // Messages sent before the end are read before the end of file.
            Assert.Equal("last words", (await _session.Pipe("p").EndA.ReceiveAsync().WaitAsync(s_patience))!.Json.StringValue);
            Assert.Null(await _session.Pipe("p").EndA.ReceiveAsync().WaitAsync(s_patience));
            if (clock is null)
                return;
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"after {cause} all had passed on within {clock.Elapsed.TotalMilliseconds:0} ms");
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));
        }

        public async ValueTask DisposeAsync()
        {
            await _partner.DisposeAsync();
            await _session.DisposeAsync();
            await _client.DisposeAsync();
        }

        private async Task TakeLockAsync()
        {
            await using var hold = await _session.Lock("l").AcquireAsync();
            Assert.True(hold.FencingToken > _token, $"{hold.FencingToken} must be larger than {_token}");
        }

        private async Task TakePermitAsync()
        {
            await using var hold = await _session.Semaphore("s").AcquireAsync();
        }

        private async Task TakeItemAsync()
        {
            await using var item = await _session.Queue("q").LeaseAsync();
            Assert.Equal(("job", 2), (item!.Body.Json.StringValue, item.DeliveryCount));
        }

        private async Task MeetAsync()
        {
            var error = await Assert.ThrowsAsync<OrchestratorException>(() => _partner.Barrier("b", 3).WaitAsync());
            Assert.Equal(FailureReason.BrokenBarrier, error.Reason);
            Assert.Contains("task-", error.Message, StringComparison.Ordinal);
        }

        private async Task<bool> IsHeldAsync()
        {
            var objects = await _client.Contract.ListSyncAsync();
            return objects.Any(item => item.Object == "locks/l" && item.Holders.Count == 1)
                && objects.Any(item => item.Object == "semaphores/s" && item.Holders.Count == 1)
                && objects.Any(item => item.Object == "barriers/b" && item.Waiters.Count == 1)
                && (await _client.Contract.GetQueueAsync("q")) is { LeasedItems: 1, WaitingGetters: 1 }
                && (await _client.Contract.ListPipesAsync()).Single() is { BAttached: true, BufferedToA: 1 };
        }
    }
}
