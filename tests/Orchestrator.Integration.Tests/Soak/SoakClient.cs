using Orchestrator.Client.Errors;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Soak;

/// <summary>The load of one client.</summary>
/// <param name="Make">Creates its next task.</param>
/// <param name="Rate">Tasks a second.</param>
/// <param name="ThroughRelay">Whether its network has faults.</param>
/// <param name="CancelsItsTasks">Whether its tasks end only when they are cancelled.</param>
/// <param name="See">Receives each result.</param>
internal sealed record SoakKind(
    Func<ulong, TaskSpec> Make, double Rate, bool ThroughRelay = false, bool CancelsItsTasks = false, Action<TaskResult>? See = null);

/// <summary>A client that reconnects whenever it was cut off.</summary>
internal sealed class SoakClient : IAsyncDisposable
{
    private readonly CoordinatorProcess _coordinator;
    private readonly string _address;
    private readonly TaskLedger _ledger;
    private readonly HashSet<ulong> _open = [];
    private TaskLoad _load = null!;

    private SoakClient(SoakKind kind, CoordinatorProcess coordinator, string address, TaskLedger ledger) =>
        (Kind, _coordinator, _address, _ledger) = (kind, coordinator, address, ledger);

    public SoakKind Kind { get; }

    public static IReadOnlyList<SoakKind> Kinds(SoakCounter counter)
    {
        var retry =
            new TaskOptions { Retry = new RetryPolicy { MaxAttempts = 20, InitialBackoff = Specs.Seconds(0.05), RetryWorkerLost = true } };
        return
        [
            new(_ => Specs.Json("sum_of_squares", """{"n": 100}""", retry), 300),
            new(_ => Specs.Json("sum_of_squares", """{"n": 100}"""), 100, ThroughRelay: true),
            new(_ => Specs.Json("sleep", """{"ms": 5}""", retry), 100, ThroughRelay: true),
            new(tag => Specs.Json("hold", $$"""{"locks": ["soak-{{tag % 3}}"], "ms": 20}"""), 20),
            new(_ => Specs.Json("sleep", """{"ms": 600000}""", new TaskOptions { RunTimeout = Specs.Seconds(0.05) }), 20),
            new(_ => Specs.Json("sleep", """{"ms": 600000}"""), 20, CancelsItsTasks: true),
            new(_ => counter.Make(), 50, See: counter.See),
        ];
    }

    public static async Task<SoakClient> StartAsync(SoakKind kind, CoordinatorProcess coordinator, string address, TaskLedger ledger)
    {
        var client = new SoakClient(kind, coordinator, address, ledger);
        await client.ConnectAsync();
        return client;
    }

    /// <summary>Cancels its open tasks, and returns their number.</summary>
    public int Cancel()
    {
        ulong[] tags;
        lock (_open)
            tags = [.. _open];
        _load.Stream.Cancel(tags);
        return tags.Length;
    }

    public async Task VanishAsync()
    {
        await _load.DisposeAsync();
        await ConnectAsync();
    }

    public async Task ReconnectWhereBrokenAsync()
    {
        if (_load.Stream.Completion.IsCompleted)
            await VanishAsync();
    }

    public async Task FinishAsync(TimeSpan limit)
    {
        await _load.StopAsync();
        if (Kind.CancelsItsTasks)
            Cancel();
        if (_load.Stream.Completion.IsFaulted)
        {
            // Its network broke just now.
            await _load.VanishAsync();
            return;
        }

        await _load.FinishAsync(limit);
    }

    public ValueTask DisposeAsync() => _load.DisposeAsync();

    private async Task ConnectAsync()
    {
        lock (_open)
            _open.Clear();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                _load = await TaskLoad.StartAsync(_address, _coordinator.Token, _ledger, Make, Kind.Rate, inFlight: 500, See);
                return;
            }
            catch (OrchestratorException) when (attempt < 20)
            {
                // The relay cuts connecting clients, too.
            }
        }
    }

    private TaskSpec Make(ulong tag)
    {
        if (Kind.CancelsItsTasks)
        {
            lock (_open)
                _open.Add(tag);
        }

        return Kind.Make(tag);
    }

    private void See(TaskResult result)
    {
        lock (_open)
            _open.Remove(result.Tag);
        Kind.See?.Invoke(result);
    }
}
