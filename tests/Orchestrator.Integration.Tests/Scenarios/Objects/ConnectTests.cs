using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>The pipelined stream of a session, and the client's types over it.</summary>
public sealed class ConnectTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    [Fact]
    public async Task A_wait_does_not_hold_up_what_comes_after_it_and_can_be_cancelled()
    {
        using var call = _coordinator.Sessions.Connect(CoordinatorProcess.Deadline());
        await call.RequestStream.WriteAsync(new ConnectRequest
        {
            Operations =
            {
                new Operation { OperationId = 1, WaitEvent = new WaitEventRequest { Event = "connect-never" } },
                new Operation { OperationId = 2, SetEvent = new SetEventRequest { Event = "connect-now", Set = true } },
                new Operation { OperationId = 3, WaitEvent = new WaitEventRequest { Event = "connect-now" } },
                new Operation { OperationId = 4 },
            },
        });
        var outcomes = new Dictionary<ulong, Outcome>();
        var session = "";
        async Task ReadUntil(int count)
        {
            while (outcomes.Count < count && await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            {
                session += call.ResponseStream.Current.SessionId;
                foreach (var outcome in call.ResponseStream.Current.Outcomes)
                    outcomes.Add(outcome.OperationId, outcome);
            }
        }

        await ReadUntil(3);
        Assert.NotEmpty(session);
        Assert.Equal(new ulong[] { 2, 3, 4 }, outcomes.Keys.Order());
        Assert.Equal(WaitStatus.Ok, outcomes[3].WaitEvent.Status);
        Assert.Equal((ErrorReason.Invalid, (int)StatusCode.InvalidArgument), (outcomes[4].Error.Reason, outcomes[4].Error.Code));
        await call.RequestStream.WriteAsync(new ConnectRequest { CancelOperationIds = { 1 } });
        await ReadUntil(4);
        Assert.Equal(ErrorReason.Cancelled, outcomes[1].Error.Reason);
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task After_a_reconnect_a_repeated_operation_has_its_first_outcome()
    {
        var acquire = new Operation { OperationId = 7, AcquireLock = new AcquireLockRequest { Lock = "replayed" } };
        string session;
        ulong token;
        using (var broken = _coordinator.Sessions.Connect(CoordinatorProcess.Deadline()))
        {
            await broken.RequestStream.WriteAsync(
                new ConnectRequest { Create = new CreateSessionRequest { DisplayName = "resumed" }, Operations = { acquire } });
            (session, var first) = await ReadAsync(broken);
            token = first.AcquireLock.FencingToken;
        }

        using var call = _coordinator.Sessions.Connect(CoordinatorProcess.Deadline());
        await call.RequestStream.WriteAsync(new ConnectRequest { SessionId = session, Operations = { acquire } });
        var (again, outcome) = await ReadAsync(call);
        // The lock is PLAIN: acquiring it anew would be a deadlock.
        Assert.Equal((session, token, 1), (again, outcome.AcquireLock.FencingToken, outcome.AcquireLock.Depth));
    }

    /// <summary>An attempt's session waits over its worker's stream, where its cancellation must find the wait.</summary>
    [Fact]
    public async Task A_task_that_waits_at_a_shared_object_obeys_its_cancellation()
    {
        await using var client = await ClientAsync();
        var task = await client.SubmitAsync<int>("wait_barrier", new { barrier = "connect-alone", parties = 2 });
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!(await client.Contract.ListSyncAsync(limit.Token))
            .Any(item => item.Object == "barriers/connect-alone" && item.Waiters.Count == 1))
            await Task.Yield();
        var result = await task.CancelAsync(cancellationToken: limit.Token);
        Assert.Equal(RunState.Cancelled, result.State);
        Assert.Equal(CancelStage.Cooperative, result.Error!.Rung);
    }

    [Fact]
    public async Task A_hundred_clients_on_one_connection_wait_for_a_lock_whose_holder_releases_it_over_the_same()
    {
        await using var client = await ClientAsync();
        await using var holding = await client.OpenSessionAsync("holder");
        var hold = await holding.Lock("crowded").AcquireAsync();
        var sessions = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => client.OpenSessionAsync($"client {i}")));
        var waits = sessions.Select(async session =>
        {
            await using var mine = await session.Lock("crowded").AcquireAsync();
            return mine.FencingToken;
        }).ToArray();
        await hold.DisposeAsync();
        var tokens = await Task.WhenAll(waits).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(100, tokens.Distinct().Count());
        Assert.All(tokens, token => Assert.True(token > hold.FencingToken));
        foreach (var session in sessions)
            await session.DisposeAsync();
    }

    [Fact]
    public async Task A_client_that_vanishes_loses_its_lock_after_its_time_to_live_and_one_that_listens_is_told()
    {
        await using var client = await ClientAsync();
        await using var waiting = await client.OpenSessionAsync("waiting");
        // Over a connection of its own, which is cut.
        var raw = new SessionService.SessionServiceClient(_coordinator.Connect());
        using (var vanishing = raw.Connect(CoordinatorProcess.Deadline()))
        {
            await vanishing.RequestStream.WriteAsync(new ConnectRequest
            {
                Create = new CreateSessionRequest { Ttl = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(100)) },
                Operations = { new Operation { OperationId = 1, AcquireLock = new AcquireLockRequest { Lock = "vanishing" } } },
            });
            await ReadAsync(vanishing);
        }

        await using var hold = await waiting.Lock("vanishing").AcquireAsync(TestContext.Current.CancellationToken);
        // Another call closes the session, as an operator would: its client is notified.
        await _coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = waiting.Id });
        await Assert.ThrowsAsync<SessionLostException>(() => waiting.Lock("other").AcquireAsync());
    }

    [Fact]
    public async Task The_client_types_do_what_their_names_say()
    {
        await using var client = await ClientAsync();
        await using var one = await client.OpenSessionAsync("one");
        await using var two = await client.OpenSessionAsync("two");
        await using (await one.Lock("typed").AcquireAsync())
        {
            Assert.Null(await two.Lock("typed").TryAcquireAsync(TimeSpan.Zero));
            using var impatient = new CancellationTokenSource();
            var waiting = two.Lock("typed").AcquireAsync(impatient.Token);
            await impatient.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }

        await (await two.Lock("typed").AcquireAsync()).DisposeAsync();
        await using (await one.Semaphore("typed", initialPermits: 1, bounded: true).AcquireAsync())
            Assert.Null(await two.Semaphore("typed", initialPermits: 1, bounded: true).TryAcquireAsync(TimeSpan.Zero));
        var index = one.Barrier("typed", 2).WaitAsync();
        Assert.Equal([0, 1], new[] { await two.Barrier("typed", 2).WaitAsync(), await index }.Order());
        Assert.False(await one.Event("typed").TryWaitAsync(TimeSpan.Zero));
        await two.Event("typed").SetAsync();
        await one.Event("typed").WaitAsync();
        Assert.Equal(1, await one.Latch("typed", 2).CountDownAsync());
        Assert.Equal(0, await two.Latch("typed").CountDownAsync());
        await one.Latch("typed").WaitAsync();
        await using var held = await one.Lock("cycle-1").AcquireAsync();
        await using var other = await two.Lock("cycle-2").AcquireAsync();
        using var giveUp = new CancellationTokenSource();
        var waiter = one.Lock("cycle-2").AcquireAsync(giveUp.Token);
        await _coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.Object == "locks/cycle-2"));
        var deadlock = await Assert.ThrowsAsync<DeadlockException>(() => two.Lock("cycle-1").AcquireAsync(giveUp.Token));
        Assert.Contains("locks/cycle-1", deadlock.Message, StringComparison.Ordinal);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiter);
    }

    [Fact]
    public async Task The_command_runs_another_under_a_lock_and_shows_who_holds_it()
    {
        string[] connection = ["--endpoint", _coordinator.GrpcAddress, "--token", _coordinator.Token];
        var (code, output) = await CommandLine.RunAsync(
            ["lock", "run", "shell", .. connection, "--", "/bin/sh", "-c", "echo token $ORCHESTRATOR_FENCING_TOKEN; exit 7"]);
        Assert.Equal(7, code);
        Assert.Matches("token [1-9]", output);
        await using var client = await ClientAsync();
        await using var session = await client.OpenSessionAsync("somebody else");
        await using var hold = await session.Lock("shell").AcquireAsync();
        (code, output) = await CommandLine.RunAsync(["lock", "run", "shell", "--timeout", "0s", .. connection, "--", "/bin/true"]);
        Assert.Equal(6, code);
        Assert.Contains("'shell'", output, StringComparison.Ordinal);
        (_, output) = await CommandLine.RunAsync(["lock", "list", .. connection]);
        Assert.Contains("somebody else", output, StringComparison.Ordinal);
        await using var other = await client.OpenSessionAsync("impatient");
        using var giveUp = new CancellationTokenSource();
        var waiting = other.Lock("shell").AcquireAsync(giveUp.Token);
        while (!(await client.Contract.ExplainWaitsAsync()).Any(edge => edge.WaiterName == "impatient"))
            await Task.Yield();
        (_, output) = await CommandLine.RunAsync(["waits", .. connection]);
        Assert.Contains("impatient", output, StringComparison.Ordinal);
        Assert.Contains("locks/shell", output, StringComparison.Ordinal);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    private Task<OrchestratorClient> ClientAsync() =>
        OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { Endpoint = _coordinator.GrpcAddress, Token = _coordinator.Token });

    private static async Task<(string Session, Outcome Outcome)> ReadAsync(AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> call)
    {
        var session = "";
        while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
        {
            session += call.ResponseStream.Current.SessionId;
            if (call.ResponseStream.Current.Outcomes.Count > 0)
                return (session, call.ResponseStream.Current.Outcomes.Single());
        }

        throw new InvalidOperationException("the stream ended without an outcome");
    }
}
