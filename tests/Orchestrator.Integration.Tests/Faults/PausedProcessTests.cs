using Grpc.Core;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>F3, F8, F23: processes that stop for a while and resume as if no time had passed.</summary>
[Trait("Kind", "slow")]
public sealed class PausedProcessTests(ITestOutputHelper output)
{
    // Longer than the silence after which a worker is killed (5 s).
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(7);

    [Fact]
    public async Task A_worker_that_stops_is_killed_and_replaced_and_what_its_task_may_write_later_is_refused()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var ledger = new TaskLedger(0);
        var before = await coordinator.CountsAsync();
        var holder = (await coordinator.SubmitAsync(Specs.Json("hold", """{"locks": ["fenced"], "ms": 600000}""", tag: ledger.Accept())))
            .Single();
        Holder? held = null;
        while (held is null)
        {
            var locks = (await coordinator.Sync.ListSyncAsync(new ListSyncRequest(), CoordinatorProcess.Deadline())).Objects;
            held = locks.SelectMany(item => item.Holders).FirstOrDefault(item => item.TaskId == holder);
        }

        var name = (await coordinator.Tasks.GetTaskAsync(
            new GetTaskRequest { TaskId = holder }, CoordinatorProcess.Deadline())).Task.Attempts.Single().Worker;
        var victim = (await coordinator.WorkersAsync()).Single(worker => $"{worker.Name}#{worker.Incarnation}" == name);
        var next = await coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { Ttl = Specs.Seconds(60) }, CoordinatorProcess.Deadline());
        var waiting = coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "fenced", SessionId = next.SessionId }, CoordinatorProcess.Deadline()).ResponseAsync;
        Signals.Send(victim.Pid, Signals.Stop);
        await ProcessState.WaitAsync(victim.Pid, 'T');

        var lost = await coordinator.WaitForEventAsync("worker.lost", item => item.Subject == name);
        Assert.Contains("no heartbeat", lost.Message, StringComparison.Ordinal);
        await coordinator.WaitForEventAsync(
            "worker.ready", item => item.Sequence > lost.Sequence && item.Subject.StartsWith(victim.Name, StringComparison.Ordinal));
        // It was killed, so it cannot resume.
        Signals.Send(victim.Pid, Signals.Continue);
        using (var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10)))
            await ProcessFamily.WaitForEndAsync(victim.Pid, limit.Token);
        ledger.End((await coordinator.WaitAsync([holder])).Single());
        Assert.Equal(1, ledger.Of(TaskState.WorkerLost));
        await coordinator.CloseAsync(ledger, before);
        // And a write of its task that was in flight would come too late, by its token and by its session.
        var granted = await waiting;
        Assert.True(granted.FencingToken > held.FencingToken);
        var state = new StateService.StateServiceClient(coordinator.Invoker);
        var late = new UpdateValueRequest
        {
            Value = "protected",
            Edit = new NumberEdit { Add = new Number { Integer = 1 } },
            Guard = new Guard { Lock = "fenced", FencingToken = held.FencingToken },
        };
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await state.UpdateValueAsync(late, CoordinatorProcess.Deadline()));
        output.WriteLine(refused.Status.Detail);
        late.Guard.FencingToken = granted.FencingToken;
        late.SessionId = held.SessionId;
        await Assert.ThrowsAsync<RpcException>(async () => await state.UpdateValueAsync(late, CoordinatorProcess.Deadline()));
        late.SessionId = "";
        Assert.Equal(1, (await state.UpdateValueAsync(late, CoordinatorProcess.Deadline())).After.Integer);
    }

    [Fact]
    public async Task A_coordinator_that_stops_and_goes_on_runs_nothing_twice_and_blames_no_worker()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var ledger = new TaskLedger(Settings.Seed());
        var before = await coordinator.CountsAsync();
        var workers = (await coordinator.WorkersAsync()).Select(worker => worker.Pid).ToArray();
        var input = Specs.Json("increment", """{"dict": "runs", "key": "count"}""").Input;
        var attempts = 0;
        await using var load = await TaskLoad.StartAsync(
            coordinator.GrpcAddress, coordinator.Token, ledger, _ => new TaskSpec
            {
                Handler = "increment",
                Input = input,
                // If a worker were taken for dead, this would run the task again.
                Options = new TaskOptions { Retry = new RetryPolicy { MaxAttempts = 3, RetryWorkerLost = true } },
            },
            rate: 500, inFlight: 500, result => Interlocked.Add(ref attempts, result.Attempt));
        await ledger.WaitForMoreAsync(200);
        Signals.Send(coordinator.Pid, Signals.Stop);
        await ProcessState.WaitAsync(coordinator.Pid, 'T');
        var stopped = ledger.Ended;
        // The length of the pause is the fault.
        await Task.Delay(s_pause, TimeProvider.System, TestContext.Current.CancellationToken);
        var during = ledger.Ended - stopped;
        Signals.Send(coordinator.Pid, Signals.Continue);
        await ledger.WaitForMoreAsync(200);
        await load.FinishAsync(TimeSpan.FromSeconds(30));
        await coordinator.CloseAsync(ledger, before);
        output.WriteLine($"{ledger}; {during} results came during the pause");
        // Results that were in the pipe may still have come.
        Assert.InRange(during, 0, 500);
        Assert.Equal(ledger.Accepted, ledger.Of(TaskState.Succeeded));
        Assert.Equal(ledger.Accepted, attempts);
        var runs = await new StateService.StateServiceClient(coordinator.Invoker).ReadDictAsync(
            new ReadDictRequest { Dict = "runs", Keys = { "count" } }, CoordinatorProcess.Deadline());
        Assert.Equal(ledger.Accepted, runs.Entries.Single().Value.Json.NumberValue);
        Assert.Equal(workers, (await coordinator.WorkersAsync()).Select(worker => worker.Pid));
    }

    /// <summary>
    /// Part 5, 28: what a stopped coordinator did not receive does not count as its workers' silence; they resume later than the
    /// coordinator here.
    /// </summary>
    [Fact]
    public async Task Workers_that_were_stopped_together_with_their_coordinator_are_not_killed_for_its_pause()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var workers = (await coordinator.WorkersAsync()).Select(worker => worker.Pid).ToArray();
        foreach (var pid in (int[])[coordinator.Pid, .. workers])
        {
            Signals.Send(pid, Signals.Stop);
            await ProcessState.WaitAsync(pid, 'T');
        }

        // The length of the pause is the fault.
        await Task.Delay(s_pause, TimeProvider.System, TestContext.Current.CancellationToken);
        Signals.Send(coordinator.Pid, Signals.Continue);
        // The coordinator has checked its workers by then, and more than once.
        await coordinator.WaitForEventAsync("worker.suspect");
        foreach (var pid in workers)
            Signals.Send(pid, Signals.Continue);
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("echo"))).State);
        Assert.Equal(workers, (await coordinator.WorkersAsync()).Select(worker => worker.Pid));
    }

    /// <summary>
    /// Part 5, 28: while the coordinator itself is paused no heartbeat can reach it, so the pause counts against no session, lease or
    /// timeout.
    /// </summary>
    [Fact]
    public async Task A_coordinator_that_stops_for_longer_than_a_session_lives_ends_no_session()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        var session = (await coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { Ttl = Specs.Seconds(6) }, CoordinatorProcess.Deadline())).SessionId;
        var held = await coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "held", SessionId = session }, CoordinatorProcess.Deadline());
        var leased = await coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "leased", Lease = Specs.Seconds(6) }, CoordinatorProcess.Deadline());
        var before = DateTimeOffset.UtcNow;
        Signals.Send(coordinator.Pid, Signals.Stop);
        await ProcessState.WaitAsync(coordinator.Pid, 'T');
        await Task.Delay(s_pause, TimeProvider.System, TestContext.Current.CancellationToken);
        Signals.Send(coordinator.Pid, Signals.Continue);
        await coordinator.Sessions.KeepSessionAliveAsync(
            new KeepSessionAliveRequest { SessionId = session }, CoordinatorProcess.Deadline());
        var holders = (await coordinator.Sync.ListSyncAsync(
            new ListSyncRequest(), CoordinatorProcess.Deadline())).Objects.SelectMany(item => item.Holders).ToArray();
        Assert.Equal([held.FencingToken, leased.FencingToken], holders.Select(holder => holder.FencingToken).Order());
        // Its wall clock did not stop.
        await coordinator.Admin.DrainAsync(new DrainRequest(), CoordinatorProcess.Deadline());
        var draining = await coordinator.WaitForEventAsync("coordinator.draining");
        Assert.True(draining.At.ToDateTimeOffset() >= before + s_pause, $"{draining.At.ToDateTimeOffset():O} {before:O}");
    }

    [Fact]
    public async Task A_session_is_left_in_time_while_its_coordinator_does_not_answer()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { DataDirectory = coordinator.DataDirectory });
        var session = await client.OpenSessionAsync();
        Signals.Send(coordinator.Pid, Signals.Stop);
        await ProcessState.WaitAsync(coordinator.Pid, 'T');
        try
        {
            await session.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }
        finally
        {
            Signals.Send(coordinator.Pid, Signals.Continue);
        }
    }

    [Fact]
    public async Task A_holder_that_pauses_past_its_lease_is_stale_when_it_comes_back()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        await using var relay = new FaultRelay(coordinator.GrpcAddress);
        await using var away = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { Endpoint = relay.Address, Token = coordinator.Token });
        await using var here = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { Endpoint = coordinator.GrpcAddress, Token = coordinator.Token });
        await using var pausing = await away.OpenSessionAsync("pausing");
        await using var other = await here.OpenSessionAsync("other");
        // The lease begins with the grant, and is never renewed.
        var held = await coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "resource", Lease = Specs.Seconds(2) }, CoordinatorProcess.Deadline());
        await pausing.Value("resource").UpdateAsync(Add(), new Guard { Lock = "resource", FencingToken = held.FencingToken });
        // A stopped process and one with a broken network look the same: an open connection without traffic.
        relay.Silence();
        var write = pausing.Value("resource").UpdateAsync(Add(), new Guard { Lock = "resource", FencingToken = held.FencingToken });
        await using var next = await other.Lock("resource").AcquireAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(next.FencingToken > held.FencingToken);
        await other.Value("resource").UpdateAsync(Add(), new Guard { Lock = "resource", FencingToken = next.FencingToken });
        Assert.False(write.IsCompleted);
        relay.Resume();
        // The write that it began in time, as it believed, and one that it begins now.
        foreach (var late in new[] { write, pausing.Value("resource").UpdateAsync(
            Add(), new Guard { Lock = "resource", FencingToken = held.FencingToken }) })
        {
            var stale = await Assert.ThrowsAnyAsync<OrchestratorException>(() => late.WaitAsync(TimeSpan.FromSeconds(30)));
            Assert.Contains($"fencing token {held.FencingToken}", stale.Message, StringComparison.Ordinal);
        }

        Assert.Equal(2, await other.Value("resource").ReadAsync());
    }

    private static NumberEdit Add() => new() { Add = new Number { Integer = 1 } };
}
