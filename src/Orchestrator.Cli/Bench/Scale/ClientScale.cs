using Orchestrator.Client;
using Orchestrator.Client.Objects;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Scale;

/// <summary>Connections with a session each, all busy at once.</summary>
internal sealed class ClientScale : ScaleLoad
{
    private readonly ScaleRun _run;
    private readonly TaskSpec _echo = new() { Handler = "echo", Input = Payloads.FromJson("1") };
    private readonly List<(OrchestratorClient Client, CoordinationSession Session)> _clients = [];

    private ClientScale(ScaleRun run)
    {
        _run = run;
        Operations =
        [
            AllAtOnce("run a task", (client, _) => client.Contract.RunTaskAsync(_echo, cancellationToken: run.Token)),
            AllAtOnce("set a value of its own", (_, session) => session.Value<long>(session.Id).SetAsync(1, cancellationToken: run.Token)),
            AllAtOnce("add to a common value", (_, session) => session.Value<long>("common").AddAsync(1, run.Token)),
        ];
    }

    public override IReadOnlyList<ScaleOperation> Operations { get; }

    public static Task<ScaleLoad> CreateAsync(ScaleRun run) => Task.FromResult<ScaleLoad>(new ClientScale(run));

    public override async Task GrowAsync(int size)
    {
        while (_clients.Count < size)
        {
            var client = await _run.Coordinator.ConnectAsync(_run.Token);
            _clients.Add((client, await client.OpenSessionAsync("bench", cancellationToken: _run.Token)));
        }
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var (client, session) in _clients)
        {
            await session.DisposeAsync();
            await client.DisposeAsync();
        }
    }

    private ScaleOperation AllAtOnce(string name, Func<OrchestratorClient, CoordinationSession, Task> call) => new(name, async time =>
    {
        var counts = await Task.WhenAll(_clients.Select(
            one => Task.Run(() => ScaleOperation.OneAtATime(name, () => call(one.Client, one.Session)).RunAsync(time))));
        return counts.Sum();
    });
}
