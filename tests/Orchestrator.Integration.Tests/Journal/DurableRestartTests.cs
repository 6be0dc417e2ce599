using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Journal;

/// <summary>
/// F7: a coordinator is killed while clients put, settle and submit; the next one on its data directory has everything that was
/// acknowledged.
/// </summary>
[Trait("Kind", "slow")]
public sealed class DurableRestartTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("orchestrator-journal-").FullName;

    // More rounds by hand: ORCHESTRATOR_KILL_ROUNDS=50.
    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("ORCHESTRATOR_KILL_ROUNDS"), out var rounds) ? rounds : 5;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(Durability.Process)]
    [InlineData(Durability.Disk)]
    public async Task What_was_acknowledged_before_a_kill_is_there_and_nothing_is_settled_twice(Durability level)
    {
        var ledger = new Ledger();
        for (var round = 0; round < Rounds; round++)
        {
            await using var coordinator = await CoordinatorProcess.StartInAsync(_directory, "--workers", "1", "--hot-spares", "0");
            await ledger.CheckTasksAsync(coordinator);
            var clients = await new DurableClients(coordinator, ledger, level).StartAsync(round);
            // Not before each client has had some responses; how many more depends on the machine.
            await ledger.WaitForAnswersAsync();
            await coordinator.KillAndWaitAsync();
            await Task.WhenAll(clients);
            TestContext.Current.SendDiagnosticMessage($"round {round}: {ledger}");
        }

        await using var last = await CoordinatorProcess.StartInAsync(_directory, "--workers", "1", "--hot-spares", "0");
        await ledger.CheckAsync(last);
    }
}
