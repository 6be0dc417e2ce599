using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>F27: an endless stream of cancellations leaves nothing behind. (The 10,000 short calls are in BoundedTests.)</summary>
/// <remarks>The long form is 100,000: <code>ORCHESTRATOR_FAULT_CANCELS=100000</code></remarks>
public sealed class CancelStormTests(ITestOutputHelper output)
{
    private const int Batch = 1_000;

    private readonly int _cancels = Settings.Number("ORCHESTRATOR_FAULT_CANCELS", 10_000);

    [Fact]
    public async Task Handles_threads_and_memory_stay_flat_while_tasks_are_cancelled()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { DataDirectory = coordinator.DataDirectory });
        var ledger = new TaskLedger(0);
        var counts = await coordinator.CountsAsync();
        await using var stream = client.Contract.OpenTaskStream(new TaskStreamOptions { OnResult = ledger.End });
        // Warms up what is allocated once, and fills the kept history of ended tasks.
        await RunAsync(Batch * 5);
        var before = ProcessUsage.Of(coordinator);
        await RunAsync(_cancels);
        var after = await ProcessUsage.WaitUntilFlatAsync(coordinator, before, bytes: 150_000_000);
        await stream.CompleteAsync();
        await stream.Completion.WaitAsync(TimeSpan.FromSeconds(30));
        await coordinator.CloseAsync(ledger, counts);
        output.WriteLine($"{ledger}; before {before}; after {after}");
        Assert.Equal(ledger.Accepted, ledger.Of(TaskState.Cancelled));

        async Task RunAsync(int cancels)
        {
            for (var done = 0; done < cancels; done += Batch)
            {
                var tasks = Enumerable.Range(0, Batch).Select(_ => Specs.Json("sleep", """{"ms": 600000}""", tag: ledger.Accept()))
                    .ToArray();
                await stream.SubmitAsync(tasks);
                // Some run by then, some are in flight, some wait.
                stream.Cancel(tasks.Select(task => task.Tag));
                await ledger.WaitUntilEndedAsync(ledger.Accepted);
            }
        }
    }
}
