using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Tasks;
using Orchestrator.Protocol;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// A session that ends without its holder's doing notifies the holder, who may otherwise act on locks that others hold by now.
/// </summary>
public sealed class ClosedSessionTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_session_that_somebody_else_closes_tells_its_holder()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        await using var client = await ConnectAsync(coordinator, coordinator.GrpcAddress);
        await using var session = await client.OpenSessionAsync("holder");
        await using var hold = await session.Lock("l").AcquireAsync();
        await using var other = await client.OpenSessionAsync("other");
        var next = other.Lock("l").AcquireAsync();
        await coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = session.Id }, CoordinatorProcess.Deadline());
        await FiresAsync(hold.Lost);
        await FiresAsync(session.Lost);
        Assert.Throws<LockLostException>(hold.ThrowIfLost);
        await using var granted = await next.WaitAsync(s_patience);
        Assert.True(granted.FencingToken > hold.FencingToken);
        // A holder whose session lives on has lost nothing.
        Assert.False(granted.Lost.IsCancellationRequested);
        Assert.False(other.Lost.IsCancellationRequested);
        await Assert.ThrowsAsync<SessionLostException>(() => session.Lock("l").AcquireAsync());
    }

    [Fact]
    public async Task The_notice_on_the_stream_names_the_session_and_the_cause()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        using var call = coordinator.Sessions.Connect(CoordinatorProcess.Deadline());
        await call.RequestStream.WriteAsync(
            new ConnectRequest { Create = new CreateSessionRequest { DisplayName = "raw" } }, TestContext.Current.CancellationToken);
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        var id = call.ResponseStream.Current.SessionId;
        await coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = id }, CoordinatorProcess.Deadline());
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        var notice = call.ResponseStream.Current.Notices.Single();
        Assert.Equal((ErrorReason.SessionLost, "", ""), (notice.Reason, notice.Object, notice.SessionId));
        Assert.Contains(SessionAlias.Of(id), notice.Message, StringComparison.Ordinal);
        Assert.Contains("closed", notice.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_holder_that_was_cut_off_beyond_its_time_to_live_learns_of_its_loss_when_it_is_back()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        await using var relay = new FaultRelay(coordinator.GrpcAddress);
        await using var client = await ConnectAsync(coordinator, relay.Address);
        await using var session = await client.OpenSessionAsync("cut off", TimeSpan.FromMilliseconds(100));
        await using var hold = await session.Lock("l").AcquireAsync();
        await using var others = await ConnectAsync(coordinator, coordinator.GrpcAddress);
        await using var other = await others.OpenSessionAsync("other");
        // Its next call passes only after its session has expired.
        relay.Silence();
        Assert.True(relay.CutAll() > 0);
        await using var granted = await other.Lock("l").AcquireAsync().WaitAsync(s_patience);
        Assert.True(granted.FencingToken > hold.FencingToken);
        relay.Resume();
        await FiresAsync(hold.Lost);
        await FiresAsync(session.Lost);
        await Assert.ThrowsAsync<SessionLostException>(() => session.Lock("l").AcquireAsync());
    }

    /// <summary>The attempts of a worker share one stream: each is notified of its own session's end, and of no other.</summary>
    [Fact]
    public async Task An_attempt_that_ends_while_its_code_goes_on_is_told_that_it_holds_nothing()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1");
        var tasks = await coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 600000}"""), Specs.Json("sleep", """{"ms": 600000}"""));
        foreach (var task in tasks)
            await coordinator.WaitUntilRunningAsync(task);
        // As a worker does for its tasks.
        await using var gateway = new SessionPool(coordinator.GrpcAddress, coordinator.Token, "gateway");
        var sessions = tasks.Select(task => gateway.SessionOf($"{ProtocolConstants.TaskSessionPrefix}{task}-1")).ToArray();
        await using var first = await sessions[0].Lock("a").AcquireAsync();
        await using var second = await sessions[1].Lock("b").AcquireAsync();
        await coordinator.Tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { tasks[0] } }, CoordinatorProcess.Deadline());
        await FiresAsync(first.Lost);
        await FiresAsync(sessions[0].Lost);
        Assert.False(second.Lost.IsCancellationRequested || sessions[1].Lost.IsCancellationRequested);
        await coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = sessions[1].Id }, CoordinatorProcess.Deadline());
        await FiresAsync(second.Lost);
    }

    private static async Task FiresAsync(CancellationToken token)
    {
        var fired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = token.Register(fired.SetResult);
        await fired.Task.WaitAsync(s_patience, TestContext.Current.CancellationToken);
    }

    private static Task<OrchestratorClient> ConnectAsync(CoordinatorProcess coordinator, string address) =>
        OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { Endpoint = address, Token = coordinator.Token });
}
