using System.Collections.Concurrent;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Orchestrator.Client.Tasks;
using Orchestrator.Integration.Tests.Soak;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>F1: repeated SIGKILL of workers, while they are idle, compute, and reply.</summary>
/// <remarks>
/// The long form kills 200 workers in 60 seconds under 10,000 tasks a second, with attacks by strangers and greedy clients, and asserts
/// latencies, too:
/// <code>ORCHESTRATOR_FAULT_KILLS=200 ORCHESTRATOR_FAULT_SECONDS=60 ORCHESTRATOR_FAULT_RATE=12000 \
/// artifacts/bin/Orchestrator.Integration.Tests/release/Orchestrator.Integration.Tests -class "*WorkerKillsUnderLoadTests"
/// -showLiveOutput</code>
/// </remarks>
[Trait("Kind", "slow")]
public sealed class WorkerKillsUnderLoadTests(ITestOutputHelper output)
{
    private readonly int _kills = Settings.Number("ORCHESTRATOR_FAULT_KILLS", 10);
    private readonly int _seconds = Settings.Number("ORCHESTRATOR_FAULT_SECONDS", 0);
    private readonly int _rate = Settings.Number("ORCHESTRATOR_FAULT_RATE", 2_000);

    [Fact]
    public async Task Only_what_ran_in_a_killed_worker_is_lost_or_retried_and_the_ledger_balances()
    {
        var ledger = new TaskLedger(Settings.Seed());
        var random = new Random(ledger.Seed);
        await using var coordinator = await CoordinatorProcess.StartAsync([.. CoordinatorProcess.HotSpare]);
        var before = await coordinator.CountsAsync();
        var lostIn = new ConcurrentBag<string>();
        var failures = new ConcurrentQueue<string>();
        var undisturbed = new TaskLedger(ledger.Seed);
        using var end = new CancellationTokenSource();
        var attacks = _seconds > 0 ? AttackAsync(coordinator, end.Token) : Task.FromResult(0);
        await using (var calm = await StartLoadAsync(coordinator, undisturbed, _rate, retries: 1, See))
        {
            await undisturbed.WaitForMoreAsync(_seconds > 0 ? _rate * 10L : 2_000);
            await calm.FinishAsync(TimeSpan.FromSeconds(30));
        }

        // The attacks' own tasks are among the coordinator's counts.
        if (_seconds == 0)
            await coordinator.CloseAsync(undisturbed, before);
        Assert.Equal(undisturbed.Accepted, undisturbed.Of(TaskState.Succeeded));
        before = await coordinator.CountsAsync();
        var began = System.Diagnostics.Stopwatch.StartNew();
        // Most tasks may run twice; the others show that no task runs twice without permission.
        await using var retrying = await StartLoadAsync(coordinator, ledger, _rate * 0.8, retries: 10, See);
        var once = new TaskLedger(ledger.Seed);
        await using var unasked = await StartLoadAsync(coordinator, once, _rate * 0.2, retries: 1, See);
        var killed = await KillAsync(coordinator, ledger, random);
        var seconds = began.Elapsed.TotalSeconds;
        await retrying.FinishAsync(TimeSpan.FromSeconds(60));
        await unasked.FinishAsync(TimeSpan.FromSeconds(60));
        await end.CancelAsync();
        var attacked = await attacks;
        var rate = (ledger.Ended + once.Ended) / seconds;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{killed.Count} kills in {seconds:F1} s under {rate:N0} tasks/s, {attacked} attacks beside them\n  retrying: {ledger}, " +
            $"{ledger.Retried} of them in a later attempt\n  once:     {once}\n  p99 of first attempts: undisturbed " +
            $"{undisturbed.Percentile(99):F2} ms, with kills {ledger.Percentile(99):F2} ms and {once.Percentile(99):F2} ms; p50 " +
            $"{undisturbed.Percentile(50):F2}, {ledger.Percentile(50):F2} ms"));

        Assert.Equal(_kills, killed.Count);
        Assert.Empty(failures);
        Assert.Equal(ledger.Accepted, ledger.Of(TaskState.Succeeded));
        Assert.Equal(once.Accepted, once.Of(TaskState.Succeeded) + once.Of(TaskState.WorkerLost));
        Assert.All(lostIn, worker => Assert.Contains(worker, killed));
        // Every slot serves again.
        foreach (var worker in await coordinator.WorkersAsync())
            Assert.NotEqual(WorkerState.Failed, worker.State);
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 5}"""))).State);
        // Both loads at once: the coordinator counts them together, with the one task just run.
        var after = await coordinator.CountsAsync();
        Assert.Equal(ledger.Accepted + once.Accepted + 1, after.Succeeded + after.WorkerLost - before.Succeeded - before.WorkerLost);
        Assert.Equal(0, after.Queued + after.Running);
        if (_seconds > 0)
        {
            Assert.True(rate >= 10_000, $"{rate} tasks/s");
            Assert.InRange(ledger.Percentile(99), 0, 3 * undisturbed.Percentile(99));
        }

        void See(TaskResult result)
        {
            if (result.State == TaskState.WorkerLost)
                lostIn.Add(result.Worker);
            else if (result.State != TaskState.Succeeded)
                failures.Enqueue($"{result.State}: {result.Error?.Message}");
        }
    }

    /// <summary>One attack a second, in rotation, until the end; returns their number.</summary>
    private static async Task<int> AttackAsync(CoordinatorProcess coordinator, CancellationToken end)
    {
        // Its tasks fail, and so are in no other ledger.
        await using var attack = new SoakAttack(coordinator, new TaskLedger(0));
        Func<Task>[] kinds = [attack.PushAsStrangerAsync, attack.HoardLocksAsync, attack.SubmitUnknownAsync, attack.FillQueueAsync,
            attack.UseForeignSessionAsync];
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds(1));
        var count = 0;
        for (; !end.IsCancellationRequested; count++)
        {
            await kinds[count % kinds.Length]();
            await pace.WaitForNextTickAsync(CancellationToken.None);
        }

        return count;
    }

    [Fact]
    public async Task An_idle_worker_that_is_killed_costs_no_task()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync([.. CoordinatorProcess.HotSpare]);
        var before = await coordinator.CountsAsync();
        foreach (var victim in await coordinator.WorkersAsync())
        {
            Signals.Send(victim.Pid, Signals.Kill);
            var lost = await coordinator.WaitForEventAsync("worker.lost", item => item.Subject == $"{victim.Name}#{victim.Incarnation}");
            await coordinator.WaitForEventAsync("worker.ready", item => item.Sequence > lost.Sequence);
        }

        var ledger = new TaskLedger(0);
        foreach (var result in await coordinator.StreamAsync(
            Enumerable.Range(0, 100).Select(_ => Specs.Json("sum_of_squares", """{"n": 4}""", tag: ledger.Accept()))))
            ledger.End(result);
        await coordinator.CloseAsync(ledger, before);
        Assert.Equal(100, ledger.Of(TaskState.Succeeded));
    }

    [Fact]
    public async Task A_worker_that_is_killed_in_the_middle_of_its_replies_neither_loses_nor_repeats_one()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync([.. CoordinatorProcess.HotSpare, "--workers", "1"]);
        var ledger = new TaskLedger(Settings.Seed());
        var before = await coordinator.CountsAsync();
        var data = new byte[1_000_000];
        new Random(ledger.Seed).NextBytes(data);
        var content = ByteString.CopyFrom(data);
        var victim = (await coordinator.WorkersAsync()).Single();
        var retry =
            new TaskOptions { Retry = new RetryPolicy { MaxAttempts = 3, InitialBackoff = Specs.Seconds(0.01), RetryWorkerLost = true } };
        using var call = coordinator.Tasks.StreamTasks(CoordinatorProcess.Deadline(60));
        // A megabyte takes many packets: when the first has come, others are in flight.
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < 60; i++)
            {
                var task =
                    new TaskSpec { Handler = "echo", Input = new Payload { Data = content }, Options = retry, Tag = ledger.Accept() };
                await call.RequestStream.WriteAsync(new StreamTasksRequest { Tasks = { task } });
            }

            await call.RequestStream.CompleteAsync();
        });
        var killed = false;
        await foreach (var response in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            foreach (var result in response.Results)
            {
                ledger.End(result);
                Assert.Equal(TaskState.Succeeded, result.State);
                Assert.Equal(content, result.Output.Data);
                if (!killed && ledger.Ended >= 3)
                {
                    Signals.Send(victim.Pid, Signals.Kill);
                    killed = true;
                }
            }
        }

        await sending;
        await coordinator.WaitForEventAsync("worker.lost", item => item.Subject == $"{victim.Name}#{victim.Incarnation}");
        await coordinator.CloseAsync(ledger, before);
        output.WriteLine($"{ledger}; {ledger.Retried} in a later attempt");
    }

    private static Task<TaskLoad> StartLoadAsync(
        CoordinatorProcess coordinator, TaskLedger ledger, double rate, int retries, Action<TaskResult> see)
    {
        var input = Specs.Json("sum_of_squares", """{"n": 10}""").Input;
        var options = retries > 1 ? new TaskOptions
        {
            Retry =
            new RetryPolicy { MaxAttempts = retries, InitialBackoff = Specs.Seconds(0.01), RetryWorkerLost = true }
        } : null;
        return TaskLoad.StartAsync(
            coordinator.GrpcAddress, coordinator.Token, ledger,
            _ => new TaskSpec { Handler = "sum_of_squares", Input = input, Options = options }, rate, inFlight: 2_000, see);
    }

    /// <summary>
    /// Kills workers at an even pace, or each after the load has made progress; returns the names of those that the coordinator reports
    /// lost.
    /// </summary>
    private async Task<HashSet<string>> KillAsync(CoordinatorProcess coordinator, TaskLedger ledger, Random random)
    {
        var killed = new HashSet<string>();
        using var pace = _seconds > 0 ? new PeriodicTimer(TimeSpan.FromSeconds((double)_seconds / _kills)) : null;
        while (killed.Count < _kills)
        {
            if (pace is not null)
                await pace.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            else
                await ledger.WaitForMoreAsync(100);
            // A worker that has finished a task is not taken for one that cannot start.
            var victims = (await coordinator.WorkersAsync())
                .Where(worker => worker is { State: WorkerState.Ready, CompletedTasks: > 0, Pid: > 0 } && !killed.Contains(Name(worker)))
                .ToArray();
            if (victims.Length == 0)
                continue;
            var victim = victims[random.Next(victims.Length)];
            Signals.Send(victim.Pid, Signals.Kill);
            killed.Add(Name(victim));
            if (pace is null)
                await coordinator.WaitForEventAsync("worker.lost", item => item.Subject == Name(victim));
        }

        // Waits for the last one, so that all have been noticed.
        foreach (var name in killed)
            await coordinator.WaitForEventAsync("worker.lost", item => item.Subject == name);
        return killed;

        static string Name(WorkerInfo worker) => $"{worker.Name}#{worker.Incarnation}";
    }
}
