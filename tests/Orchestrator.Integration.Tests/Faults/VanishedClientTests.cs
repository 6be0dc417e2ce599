using System.Diagnostics;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>F11: clients that vanish abruptly.</summary>
public sealed class VanishedClientTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reset_cancels_its_tasks_or_leaves_them_as_chosen(bool detached)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        await using var relay = new FaultRelay(coordinator.GrpcAddress);
        var before = await coordinator.CountsAsync();
        var usage = ProcessUsage.Of(coordinator);
        // A task that ends only when the test allows it.
        var gate = (await coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { Ttl = Specs.Seconds(60) }, CoordinatorProcess.Deadline())).SessionId;
        await coordinator.Sync.AcquireLockAsync(new AcquireLockRequest { Lock = "gate", SessionId = gate }, CoordinatorProcess.Deadline());
        await using (var client = await ConnectAsync(coordinator, relay.Address))
        {
            await using var stream = client.Contract.OpenTaskStream(new TaskStreamOptions { DetachOnDisconnect = detached });
            for (var i = 0; i < 50; i++)
                await stream.SubmitAsync(
                    Specs.Json("hold", """{"locks": ["gate"]}""", tag: (ulong)i), TestContext.Current.CancellationToken);
            await UntilAsync(async () => (await coordinator.CountsAsync()).Running == 50);
            Assert.True(relay.CutAll() > 0);
            await Assert.ThrowsAnyAsync<OrchestratorException>(() => stream.Completion);
        }

        if (!detached)
            await UntilAsync(async () => (await coordinator.CountsAsync()) is { Running: 0, Queued: 0 });
        await coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = gate }, CoordinatorProcess.Deadline());
        await UntilAsync(async () => (await coordinator.CountsAsync()) is { Running: 0, Queued: 0 });
        var after = await coordinator.CountsAsync();
        Assert.Equal((detached ? 50 : 0, detached ? 0 : 50), (after.Succeeded - before.Succeeded, after.Cancelled - before.Cancelled));
        await AssertNothingIsLeftAsync(coordinator, usage);
    }

    [Fact]
    public async Task SIGKILL_of_a_client_process_cancels_its_tasks_and_frees_what_it_held()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var before = await coordinator.CountsAsync();
        var usage = ProcessUsage.Of(coordinator);
        using var running = Start(coordinator, "run", "sleep", """{"ms": 600000}""", "--count", "40");
        using var holding = Start(coordinator, "lock", "run", "claimed", "--ttl", "2s", "--", "sleep", "600");
        await UntilAsync(async () => (await coordinator.CountsAsync()).Running == 40);
        ulong token = 0;
        await UntilAsync(
            async () => (token = (await coordinator.Sync.ListSyncAsync(new ListSyncRequest(), CoordinatorProcess.Deadline())).Objects
            .FirstOrDefault(item => item.Object == "locks/claimed")?.Holders.SingleOrDefault()?.FencingToken ?? 0) > 0);
        foreach (var client in new[] { running, holding })
        {
            client.Kill(entireProcessTree: true);
            await client.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await UntilAsync(async () => (await coordinator.CountsAsync()) is { Running: 0, Queued: 0 });
        Assert.Equal(40, (await coordinator.CountsAsync()).Cancelled - before.Cancelled);
        var session = (await coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { Ttl = Specs.Seconds(120) }, CoordinatorProcess.Deadline())).SessionId;
        // The lock passes on when the dead client's session has outlived its connection by its time to live.
        var granted = await coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "claimed", SessionId = session }, CoordinatorProcess.Deadline(60));
        Assert.True(granted.FencingToken > token);
        await coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = session }, CoordinatorProcess.Deadline());
        await AssertNothingIsLeftAsync(coordinator, usage);
    }

    /// <remarks>
    /// Explicit, since it takes most of a minute: a session lives as long as its stream, and the missed ping of a silent stream is noticed
    /// after 50 s (30 s until it is sent, 20 s for its response).
    /// </remarks>
    [Fact(Explicit = true)]
    public async Task A_half_open_connection_keeps_no_session_and_its_holds_pass_on()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        await using var relay = new FaultRelay(coordinator.GrpcAddress);
        await using var client = await ConnectAsync(coordinator, relay.Address);
        await using var gone = await client.OpenSessionAsync("half-open", TimeSpan.FromSeconds(1));
        await using var hold = await gone.Lock("l").AcquireAsync(TestContext.Current.CancellationToken);
        relay.Silence();
        var clock = Stopwatch.StartNew();
        await using var others = await ConnectAsync(coordinator, coordinator.GrpcAddress);
        await using var other = await others.OpenSessionAsync("other");
        await using var next = await other.Lock("l").AcquireAsync().WaitAsync(TimeSpan.FromSeconds(90));
        Assert.True(next.FencingToken > hold.FencingToken);
        output.WriteLine($"after {clock.Elapsed.TotalSeconds:F1} s");
        relay.Resume();
    }

    private static Process Start(CoordinatorProcess coordinator, params string[] arguments)
    {
        var start = new ProcessStartInfo(CoordinatorProcess.CommandPath) { RedirectStandardOutput = true, RedirectStandardError = true };
        var at = Array.IndexOf(arguments, "--") is var end && end < 0 ? arguments.Length : end;
        foreach (var argument in (IEnumerable<string>)[.. arguments[..at], "--data-dir", coordinator.DataDirectory, .. arguments[at..]])
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static Task<OrchestratorClient> ConnectAsync(CoordinatorProcess coordinator, string address) =>
        OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { Endpoint = address, Token = coordinator.Token });

    private async Task AssertNothingIsLeftAsync(CoordinatorProcess coordinator, ProcessUsage before)
    {
        // A worker whose tasks have used shared objects keeps its own stream's session.
        await UntilAsync(async () =>
            (await coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status is { Streams: 0 } status
                && status.Sessions <= status.Workers.Count);
        output.WriteLine($"before {before}; after {await ProcessUsage.WaitUntilFlatAsync(coordinator, before)}");
    }
}
