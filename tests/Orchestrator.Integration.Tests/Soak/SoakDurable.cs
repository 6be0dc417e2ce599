using Orchestrator.Integration.Tests.Journal;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Soak;

/// <summary>
/// A second coordinator with a journal, which is killed and restarted while its clients put, settle, count and submit durable work.
/// </summary>
internal sealed class SoakDurable : IAsyncDisposable
{
    // Slow enough to leave the processors to the others.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    private readonly TemporaryDirectory _directory = new();
    private readonly Ledger _ledger = new();
    private CoordinatorProcess _coordinator = null!;
    private IReadOnlyList<Task> _clients = [];
    private int _rounds;

    public static async Task<SoakDurable> StartAsync()
    {
        var durable = new SoakDurable();
        await durable.StartRoundAsync();
        return durable;
    }

    /// <summary>Kills it once each client has had responses, and checks the acknowledged tasks on the next one.</summary>
    public async Task KillAsync()
    {
        await EndRoundAsync();
        await StartRoundAsync();
    }

    /// <summary>Kills it for the last time, and compares the final state with everything acknowledged.</summary>
    public async Task CheckAsync()
    {
        await EndRoundAsync();
        _coordinator = await StartCoordinatorAsync();
        await _ledger.CheckAsync(_coordinator);
    }

    public override string ToString() => $"{_rounds} kills of a coordinator under {_ledger}";

    public async ValueTask DisposeAsync()
    {
        await _coordinator.DisposeAsync();
        await Task.WhenAll(_clients).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _directory.Dispose();
    }

    private Task<CoordinatorProcess> StartCoordinatorAsync() =>
        CoordinatorProcess.StartInAsync(_directory, "--workers", "1", "--hot-spares", "0");

    private async Task StartRoundAsync()
    {
        _coordinator = await StartCoordinatorAsync();
        await _ledger.CheckTasksAsync(_coordinator, once: true);
        _clients = await new DurableClients(_coordinator, _ledger, Durability.Process, s_pause).StartAsync(_rounds);
    }

    private async Task EndRoundAsync()
    {
        await _ledger.WaitForAnswersAsync();
        _rounds++;
        await _coordinator.KillAndWaitAsync();
        await Task.WhenAll(_clients);
        await _coordinator.DisposeAsync();
    }
}
