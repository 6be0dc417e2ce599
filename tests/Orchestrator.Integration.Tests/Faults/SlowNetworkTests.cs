using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>F17: a slow network, and one that breaks in the middle of messages.</summary>
public sealed class SlowNetworkTests(ITestOutputHelper output)
{
    private static readonly TimeSpan s_delay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(10);

    [Fact]
    public async Task A_delay_of_200_ms_makes_everything_slower_and_nothing_wrong()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        await using var relay = new FaultRelay(coordinator.GrpcAddress);
        var ledger = new TaskLedger(0);
        var before = await coordinator.CountsAsync();
        relay.Delay = s_delay;
        await using (var load = await TaskLoad.StartAsync(
            relay.Address, coordinator.Token, ledger, _ => Specs.Json("sum_of_squares", """{"n": 4}""")))
        {
            await ledger.WaitForMoreAsync(1_000);
            await load.FinishAsync(TimeSpan.FromSeconds(30));
        }

        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { Endpoint = relay.Address, Token = coordinator.Token });
        await using (var session = await client.OpenSessionAsync("slow"))
        {
            var value = session.Value("slow");
            await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => value.AddAsync(1)));
            Assert.Equal(100, await value.ReadAsync());
        }

        await coordinator.CloseAsync(ledger, before);
        output.WriteLine($"{ledger}; the fastest half took up to {ledger.Percentile(50):F0} ms");
        Assert.Equal(ledger.Accepted, ledger.Of(TaskState.Succeeded));
        // There and back: the delay took effect. Timers count in ticks of the system's clock and may fire up to one early.
        Assert.InRange(ledger.Percentile(0), 2 * (s_delay - s_tick).TotalMilliseconds, 30_000);
    }

    [Fact]
    public async Task Submissions_that_are_cut_in_the_middle_of_a_message_and_sent_again_run_once()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        await using var relay = new FaultRelay(coordinator.GrpcAddress);
        var seed = Settings.Seed();
        var random = new Random(seed);
        var ledger = new TaskLedger(seed);
        var before = await coordinator.CountsAsync();
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { Endpoint = relay.Address, Token = coordinator.Token });
        var ids = new Dictionary<ulong, ulong>();
        var repeats = 0;
        for (var batch = 0; batch < 20; batch++)
        {
            // Some 7 kB each way of the request, a quarter of it answered: the cut can fall anywhere.
            var tasks = Enumerable.Range(0, 100).Select(_ =>
            {
                var tag = ledger.Accept();
                return Specs.Json("increment", """{"dict": "cut", "key": "runs"}""", tag: tag, requestId: $"cut-{seed}-{tag}");
            }).ToArray();
            relay.CutAfter(random.Next(1, 9_000));
            var answer = await SendUntilAnsweredAsync(() => client.Contract.SubmitAsync(tasks));
            for (var i = 0; i < tasks.Length; i++)
                ids.Add(answer[i], tasks[i].Tag);
        }

        // Waits are cut as well, and repeated.
        relay.CutAfter(random.Next(1, 2_000));
        foreach (var chunk in ids.Keys.Chunk(500))
        {
            foreach (var result in (await SendUntilAnsweredAsync(() => client.Contract.WaitAsync(chunk))).Done)
                ledger.End(result);
        }

        await coordinator.CloseAsync(ledger, before);
        output.WriteLine($"{ledger}; {relay.CutsByBytes} cuts, {repeats} calls sent again");
        Assert.Equal(2_000, ledger.Of(TaskState.Succeeded));
        Assert.True(relay.CutsByBytes >= 10, $"only {relay.CutsByBytes} cuts fell into a message");
        Assert.True(repeats > 0);
        var runs = await new StateService.StateServiceClient(coordinator.Invoker).ReadDictAsync(
            new ReadDictRequest { Dict = "cut", Keys = { "runs" } }, CoordinatorProcess.Deadline());
        Assert.Equal(2_000, runs.Entries.Single().Value.Json.NumberValue);

        async Task<T> SendUntilAnsweredAsync<T>(Func<Task<T>> call)
        {
            while (true)
            {
                try
                {
                    return await call().WaitAsync(TimeSpan.FromSeconds(30));
                }
                catch (OrchestratorException)
                {
                    repeats++;
                }
            }
        }
    }
}
