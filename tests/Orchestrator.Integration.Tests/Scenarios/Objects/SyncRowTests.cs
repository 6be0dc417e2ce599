using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Orchestrator.TestKit;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>
/// The rows of the semantics page on synchronization, one test each, through a real socket by the unary calls that scripts use.
/// </summary>
public sealed class SyncRowTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private static readonly Duration s_zero = Duration.FromTimeSpan(TimeSpan.Zero);

    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    private SyncService.SyncServiceClient Sync => _coordinator.Sync;

    [Fact]
    public async Task Lock_plain_a_againacquire_by_its_own_session_waits_and_reentrant_counts()
    {
        var session = await SessionAsync();
        await AcquireAsync("plain", session);
        var again = AcquireAsync("plain", session);
        // The wait is listed as waiting for its own session, and ends like any other wait.
        await _coordinator.UntilWaitsAsync(
            edges => edges.Any(edge => edge.WaiterSession == SessionAlias.Of(session) && edge.HolderSession == SessionAlias.Of(session)));
        await ReleaseAsync("plain", session);
        Assert.Equal(WaitStatus.Ok, (await again).Status);

        var first = await AcquireAsync("reentrant", session, LockMode.Reentrant);
        var second = await AcquireAsync("reentrant", session, LockMode.Reentrant);
        Assert.Equal((1, 2, first.FencingToken), (first.Depth, second.Depth, second.FencingToken));
        Assert.Equal(1, (await ReleaseAsync("reentrant", session)).Depth);
        Assert.Equal(0, (await ReleaseAsync("reentrant", session)).Depth);
    }

    [Fact]
    public async Task Lock_read_write_a_reader_behind_a_waiting_writer_waits()
    {
        var (reader, writer, late) = (await SessionAsync(), await SessionAsync(), await SessionAsync());
        await AcquireAsync("rw", reader, LockMode.Read);
        var writing = AcquireAsync("rw", writer, LockMode.Write);
        await _coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.WaiterSession == SessionAlias.Of(writer)));
        Assert.Equal(WaitStatus.Timeout, (await AcquireAsync("rw", late, LockMode.Read, s_zero)).Status);
        await ReleaseAsync("rw", reader);
        Assert.Equal(WaitStatus.Ok, (await writing).Status);
    }

    [Fact]
    public async Task Release_by_another_session_or_when_free_is_NOT_OWNER()
    {
        var (owner, stranger) = (await SessionAsync(), await SessionAsync());
        await AcquireAsync("owned", owner);
        var error = await FailsAsync(() => ReleaseAsync("owned", stranger));
        Assert.Equal((StatusCode.FailedPrecondition, "NOT_OWNER"), (error.StatusCode, ReasonOf(error)));
        Assert.Contains($"{SessionAlias.Of(owner)}, not by {SessionAlias.Of(stranger)}", error.Status.Detail, StringComparison.Ordinal);
        Assert.Equal("NOT_OWNER", ReasonOf(await FailsAsync(() => ReleaseAsync("free", owner))));
    }

    [Fact]
    public async Task Fencing_token_grows_with_every_grant()
    {
        var session = await SessionAsync();
        var last = 0ul;
        for (var i = 0; i < 5; i++)
        {
            var token = (await AcquireAsync("fenced", session)).FencingToken;
            Assert.True(token > last);
            last = token;
            await ReleaseAsync("fenced", session);
        }
    }

    [Fact]
    public async Task Holder_dies_the_next_waiter_has_the_lock_with_a_larger_token()
    {
        var (holder, next) = (await SessionAsync(), await SessionAsync());
        var token = (await AcquireAsync("inherited", holder)).FencingToken;
        var waiting = AcquireAsync("inherited", next);
        await _coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.WaiterSession == SessionAlias.Of(next)
            && edge.HolderSession == SessionAlias.Of(holder) && edge.Object == "locks/inherited"));
        await _coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = holder });
        var granted = await waiting;
        Assert.Equal(WaitStatus.Ok, granted.Status);
        Assert.True(granted.FencingToken > token);
        Assert.Equal("SESSION_LOST", ReasonOf(await FailsAsync(() => AcquireAsync("inherited", holder))));
    }

    [Fact]
    public async Task A_hold_without_a_session_gets_one_that_lives_for_its_lease()
    {
        var held = await Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "leased", Lease = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(200)) },
            CoordinatorProcess.Deadline());
        Assert.NotEmpty(held.SessionId);
        // Not released: only the lease ends it.
        Assert.Equal(WaitStatus.Ok, (await AcquireAsync("leased", await SessionAsync())).Status);
    }

    [Fact]
    public async Task Semaphore_bounded_releases_no_more_than_it_has_and_the_permits_of_an_ended_session_come_back()
    {
        var (one, two) = (await SessionAsync(), await SessionAsync());
        var request = new AcquireSemaphoreRequest
        {
            Semaphore = "pool",
            InitialPermits = 2,
            Bounded = true,
            Permits = 2,
            SessionId = one,
            Timeout = s_zero
        };
        Assert.Equal(WaitStatus.Ok, (await Sync.AcquireSemaphoreAsync(request, CoordinatorProcess.Deadline())).Status);
        var waiting = Sync.AcquireSemaphoreAsync(
            new AcquireSemaphoreRequest { Semaphore = "pool", SessionId = two }, CoordinatorProcess.Deadline()).ResponseAsync;
        await _coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.WaiterSession == SessionAlias.Of(two)));
        await _coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = one });
        Assert.Equal((WaitStatus.Ok, 1), ((await waiting).Status, (await waiting).AvailablePermits));
        var error = await FailsAsync(async () => await Sync.ReleaseSemaphoreAsync(
            new ReleaseSemaphoreRequest { Semaphore = "pool", Permits = 2, SessionId = two }, CoordinatorProcess.Deadline()));
        Assert.Equal("OVER_RELEASED", ReasonOf(error));
    }

    [Fact]
    public async Task Event_set_wakes_all_and_a_set_event_is_passed_at_once()
    {
        var waits = Enumerable.Range(0, 3).Select(
            _ => Sync.WaitEventAsync(new WaitEventRequest { Event = "go" }, CoordinatorProcess.Deadline()).ResponseAsync).ToArray();
        await _coordinator.UntilWaitsAsync(edges => edges.Count(edge => edge.Object == "events/go") == 3);
        Assert.False((await Sync.SetEventAsync(new SetEventRequest { Event = "go", Set = true }, CoordinatorProcess.Deadline())).WasSet);
        Assert.All(await Task.WhenAll(waits), response => Assert.Equal(WaitStatus.Ok, response.Status));
        Assert.Equal(WaitStatus.Ok,
            (await Sync.WaitEventAsync(new WaitEventRequest { Event = "go", Timeout = s_zero }, CoordinatorProcess.Deadline())).Status);
    }

    [Fact]
    public async Task Condition_wait_needs_the_lock_gives_it_up_and_has_it_again()
    {
        var (waiter, notifier) = (await SessionAsync(), await SessionAsync());
        var unlocked = await FailsAsync(async () => await Sync.WaitConditionAsync(
            new WaitConditionRequest { Condition = "ready", Lock = "guard", SessionId = waiter }, CoordinatorProcess.Deadline()));
        Assert.Equal("NOT_OWNER", ReasonOf(unlocked));
        var first = await AcquireAsync("guard", waiter);
        var waiting = Sync.WaitConditionAsync(
            new WaitConditionRequest { Condition = "ready", Lock = "guard", SessionId = waiter },
            CoordinatorProcess.Deadline()).ResponseAsync;
        // Available only because the waiter has released it.
        await AcquireAsync("guard", notifier);
        var notified = await Sync.NotifyConditionAsync(
            new NotifyConditionRequest { Condition = "ready", Lock = "guard", SessionId = notifier }, CoordinatorProcess.Deadline());
        Assert.Equal(1, notified.Notified);
        await ReleaseAsync("guard", notifier);
        Assert.Equal(WaitStatus.Ok, (await waiting).Status);
        Assert.True((await waiting).FencingToken > first.FencingToken);
        await ReleaseAsync("guard", waiter);
    }

    [Fact]
    public async Task Condition_notify_wakes_in_waiting_order_and_a_timeout_holds_the_lock_again()
    {
        async Task<WaitConditionResponse> Wait(string session, Duration? timeout = null) => await Sync.WaitConditionAsync(
            new WaitConditionRequest { Condition = "order", Lock = "order", SessionId = session, Timeout = timeout },
            CoordinatorProcess.Deadline());
        async Task NotifyAsync(string session) =>
            await Sync.NotifyConditionAsync(
                new NotifyConditionRequest { Condition = "order", Lock = "order", SessionId = session }, CoordinatorProcess.Deadline());
        var waits = new List<(string Session, Task<WaitConditionResponse> Wait)>();
        for (var i = 0; i < 3; i++)
        {
            var session = await SessionAsync();
            await AcquireAsync("order", session);
            waits.Add((session, Wait(session)));
            await _coordinator.UntilWaitsAsync(
                edges => edges.Any(edge => edge.WaiterSession == SessionAlias.Of(session) && edge.Object == "conditions/order"));
        }

        var notifier = await SessionAsync();
        foreach (var (session, wait) in waits)
        {
            await AcquireAsync("order", notifier);
            await NotifyAsync(notifier);
            await ReleaseAsync("order", notifier);
            Assert.Equal(WaitStatus.Ok, (await wait).Status);
            Assert.Equal(waits.Count(item => item.Wait.IsCompleted), waits.FindIndex(item => item.Session == session) + 1);
            await ReleaseAsync("order", session);
        }

        await AcquireAsync("order", notifier);
        Assert.Equal(WaitStatus.Timeout, (await Wait(notifier, Duration.FromTimeSpan(TimeSpan.FromMilliseconds(20)))).Status);
        // The release succeeds only because the timed-out wait has reacquired the lock.
        Assert.Equal(0, (await ReleaseAsync("order", notifier)).Depth);
    }

    [Fact]
    public async Task Barrier_gives_each_party_its_index_and_a_timeout_breaks_it_for_all_until_reset()
    {
        async Task<WaitBarrierResponse> Wait(string name, Duration? timeout = null) => await Sync.WaitBarrierAsync(
            new WaitBarrierRequest { Barrier = name, Parties = 3, Timeout = timeout }, CoordinatorProcess.Deadline());
        var met = await Task.WhenAll(Wait("meet"), Wait("meet"), Wait("meet"));
        Assert.Equal([0, 1, 2], met.Select(response => response.Index).Order());

        var waiting = Wait("broken");
        await _coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.Object == "barriers/broken"));
        Assert.Equal(WaitStatus.Timeout, (await Wait("broken", Duration.FromTimeSpan(TimeSpan.FromMilliseconds(20)))).Status);
        Assert.Equal("BROKEN_BARRIER", ReasonOf(await FailsAsync(() => waiting)));
        Assert.Equal("BROKEN_BARRIER", ReasonOf(await FailsAsync(() => Wait("broken"))));
        await Sync.ControlBarrierAsync(
            new ControlBarrierRequest { Barrier = "broken", Action = BarrierAction.Reset }, CoordinatorProcess.Deadline());
        await Task.WhenAll(Wait("broken"), Wait("broken"), Wait("broken"));
    }

    [Fact]
    public async Task Barrier_abort_breaks_it_for_who_waits_and_who_comes_until_reset()
    {
        async Task<WaitBarrierResponse> Wait() =>
            await Sync.WaitBarrierAsync(new WaitBarrierRequest { Barrier = "aborted", Parties = 2 }, CoordinatorProcess.Deadline());
        var waiting = Wait();
        await _coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.Object == "barriers/aborted"));
        await Sync.ControlBarrierAsync(
            new ControlBarrierRequest { Barrier = "aborted", Action = BarrierAction.Abort }, CoordinatorProcess.Deadline());
        Assert.Equal("BROKEN_BARRIER", ReasonOf(await FailsAsync(() => waiting)));
        Assert.Equal("BROKEN_BARRIER", ReasonOf(await FailsAsync(Wait)));
        await Sync.ControlBarrierAsync(
            new ControlBarrierRequest { Barrier = "aborted", Action = BarrierAction.Reset }, CoordinatorProcess.Deadline());
        Assert.Equal([0, 1], (await Task.WhenAll(Wait(), Wait())).Select(response => response.Index).Order());
    }

    [Fact]
    public async Task Latch_counts_down_to_zero_and_lets_pass_from_then_on()
    {
        var waiting = Sync.WaitLatchAsync(new WaitLatchRequest { Latch = "done", Count = 2 }, CoordinatorProcess.Deadline()).ResponseAsync;
        await _coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.Object == "latches/done"));
        Assert.Equal(
            1, (await Sync.CountDownLatchAsync(new CountDownLatchRequest { Latch = "done" }, CoordinatorProcess.Deadline())).Remaining);
        Assert.Equal(
            0, (await Sync.CountDownLatchAsync(new CountDownLatchRequest { Latch = "done" }, CoordinatorProcess.Deadline())).Remaining);
        Assert.Equal(WaitStatus.Ok, (await waiting).Status);
        Assert.Equal(
            WaitStatus.Ok, (await Sync.WaitLatchAsync(new WaitLatchRequest { Latch = "done" }, CoordinatorProcess.Deadline())).Status);
    }

    [Fact]
    public async Task Semaphore_a_signal_may_come_before_anybody_waits_for_it()
    {
        async Task<int> Signal(int? initial) => (await Sync.ReleaseSemaphoreAsync(
            initial is { } permits ? new ReleaseSemaphoreRequest { Semaphore = "signals", InitialPermits = permits }
                : new ReleaseSemaphoreRequest { Semaphore = "signals" },
            CoordinatorProcess.Deadline())).AvailablePermits;
        Assert.Equal("NOT_FOUND", ReasonOf(await FailsAsync(() => Signal(null))));
        Assert.Equal("INVALID", ReasonOf(await FailsAsync(() => Signal(-1))));
        Assert.Equal(1, await Signal(0));
        Assert.Equal(2, await Signal(null));
        Assert.Equal("KIND_MISMATCH", ReasonOf(await FailsAsync(() => Signal(5))));
        var request = new AcquireSemaphoreRequest
        {
            Semaphore = "signals",
            InitialPermits = 0,
            Permits = 2,
            SessionId = await SessionAsync(),
            Timeout = s_zero
        };
        Assert.Equal(WaitStatus.Ok, (await Sync.AcquireSemaphoreAsync(request, CoordinatorProcess.Deadline())).Status);
    }

    [Fact]
    public async Task A_deadline_ends_a_wait_and_nothing_is_taken()
    {
        var (holder, late) = (await SessionAsync(), await SessionAsync());
        await AcquireAsync("deadline", holder);
        var waited = false;
        // On a slow machine a deadline can pass before the wait was seen: then retries with a longer one.
        for (var seconds = 1; !waited && seconds < 30; seconds *= 2)
        {
            var waiting = Sync.AcquireLockAsync(
                new AcquireLockRequest { Lock = "deadline", SessionId = late }, CoordinatorProcess.Deadline(seconds)).ResponseAsync;
            await _coordinator.UntilWaitsAsync(
                edges => (waited |= edges.Any(edge => edge.WaiterSession == SessionAlias.Of(late))) || waiting.IsCompleted);
            Assert.Equal(StatusCode.DeadlineExceeded, (await FailsAsync(() => waiting)).StatusCode);
        }

        Assert.True(waited);
        await _coordinator.UntilWaitsAsync(edges => edges.All(edge => edge.WaiterSession != SessionAlias.Of(late)));
        await ReleaseAsync("deadline", holder);
        Assert.Equal(WaitStatus.Ok, (await AcquireAsync("deadline", holder, timeout: s_zero)).Status);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(10)]
    public async Task Deadlock_of_several_sessions_hits_exactly_one_with_the_whole_cycle(int sessions)
    {
        var ids = new List<string>();
        for (var i = 0; i < sessions; i++)
        {
            ids.Add(await SessionAsync());
            await AcquireAsync($"ring-{sessions}-{i}", ids[i]);
        }

        var waits = new List<Task<AcquireLockResponse>>();
        for (var i = 0; i < sessions - 1; i++)
        {
            var index = i;
            waits.Add(AcquireAsync($"ring-{sessions}-{i + 1}", ids[i]));
            await _coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.WaiterSession == SessionAlias.Of(ids[index])));
        }

        var error = await FailsAsync(() => AcquireAsync($"ring-{sessions}-0", ids[^1]));
        Assert.Equal((StatusCode.Aborted, "DEADLOCK"), (error.StatusCode, ReasonOf(error)));
        var cycle = error.GetRpcStatus()!.GetDetail<DeadlockCycle>()!;
        Assert.Equal(ids.Select(SessionAlias.Of).Order(), cycle.Edges.Select(edge => edge.WaiterSession).Order());
        // The session with the error gives way, and the others finish one after the other.
        await ReleaseAsync($"ring-{sessions}-{sessions - 1}", ids[^1]);
        for (var i = sessions - 2; i >= 0; i--)
        {
            Assert.Equal(WaitStatus.Ok, (await waits[i]).Status);
            await _coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = ids[i] });
        }
    }

    [Fact]
    public async Task ListSync_names_who_holds_and_who_waits()
    {
        var (holder, waiter) = (await SessionAsync("the holder"), await SessionAsync("the waiter"));
        var token = (await AcquireAsync("listed", holder)).FencingToken;
        var waiting = AcquireAsync("listed", waiter);
        await _coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.WaiterSession == SessionAlias.Of(waiter)));
        var item = (await Sync.ListSyncAsync(
            new ListSyncRequest { PageSize = 1_000 }, CoordinatorProcess.Deadline())).Objects.Single(item => item.Object == "locks/listed");
        Assert.Equal(("the holder", token), (item.Holders.Single().DisplayName, item.Holders.Single().FencingToken));
        Assert.Equal("the waiter", item.Waiters.Single().DisplayName);
        await ReleaseAsync("listed", holder);
        await waiting;
    }

    [Theory]
    [InlineData("", "name")]
    [InlineData("white space", "name")]
    public async Task A_wrong_name_is_refused(string name, string expected)
    {
        var error = await FailsAsync(async () => await AcquireAsync(name, await SessionAsync()));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Contains(expected, error.Status.Detail, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Negative_timeouts_and_unknown_sessions_are_refused_by_name()
    {
        var negative = await FailsAsync(
            async () => await AcquireAsync("x", await SessionAsync(), timeout: Duration.FromTimeSpan(TimeSpan.FromSeconds(-1))));
        Assert.Equal((StatusCode.InvalidArgument, "INVALID"), (negative.StatusCode, ReasonOf(negative)));
        Assert.Contains("-1", negative.Status.Detail, StringComparison.Ordinal);
        var unknown = await FailsAsync(() => AcquireAsync("x", "nobody"));
        Assert.Equal((StatusCode.Aborted, "SESSION_LOST"), (unknown.StatusCode, ReasonOf(unknown)));
        Assert.Contains("nobody", unknown.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_who_goes_while_it_waits_takes_nothing()
    {
        var (holder, gone) = (await SessionAsync(), await SessionAsync());
        await AcquireAsync("kept", holder);
        using var leaving = new CancellationTokenSource();
        var waiting = Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "kept", SessionId = gone }, cancellationToken: leaving.Token).ResponseAsync;
        await _coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.WaiterSession == SessionAlias.Of(gone)));
        await leaving.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await FailsAsync(() => waiting)).StatusCode);
        await _coordinator.UntilWaitsAsync(edges => edges.All(edge => edge.WaiterSession != SessionAlias.Of(gone)));
        await ReleaseAsync("kept", holder);
        Assert.Equal(WaitStatus.Ok, (await AcquireAsync("kept", holder, timeout: s_zero)).Status);
    }

    private async Task<string> SessionAsync(string name = "") =>
        (await _coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { DisplayName = name }, CoordinatorProcess.Deadline())).SessionId;

    private async Task<AcquireLockResponse> AcquireAsync(
        string name, string session, LockMode mode = LockMode.Plain, Duration? timeout = null) =>
        await Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = name, Mode = mode, SessionId = session, Timeout = timeout }, CoordinatorProcess.Deadline());

    private async Task<ReleaseLockResponse> ReleaseAsync(string name, string session) =>
        await Sync.ReleaseLockAsync(new ReleaseLockRequest { Lock = name, SessionId = session }, CoordinatorProcess.Deadline());

    private static async Task<RpcException> FailsAsync<T>(Func<Task<T>> call) => await Assert.ThrowsAsync<RpcException>(call);
}
