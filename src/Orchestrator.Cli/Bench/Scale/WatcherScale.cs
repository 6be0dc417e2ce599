using Orchestrator.Client;
using Orchestrator.Client.Objects;

namespace Orchestrator.Cli.Bench.Scale;

/// <summary>Streams that watch one dict.</summary>
internal sealed class WatcherScale : ScaleLoad
{
    // A connection carries so many streams well.
    private const int PerConnection = 100;

    private readonly ScaleRun _run;
    private readonly CoordinationSession _session;
    private readonly CancellationTokenSource _end;
    private readonly List<(OrchestratorClient Client, CoordinationSession Session)> _connections = [];
    private readonly List<Task> _watchers = [];
    private readonly SemaphoreSlim _seen = new(0);
    private int _changes;

    private WatcherScale(ScaleRun run, CoordinationSession session)
    {
        _run = run;
        _session = session;
        _end = CancellationTokenSource.CreateLinkedTokenSource(run.Token);
        var other = session.Dict<int>("other");
        Operations =
        [
            ScaleOperation.OneAtATime("set an entry of another dict", () => other.SetAsync("key", 1, cancellationToken: run.Token)),
            new("tell one watcher of a change", TellAsync),
        ];
    }

    public override IReadOnlyList<ScaleOperation> Operations { get; }

    public static async Task<ScaleLoad> CreateAsync(ScaleRun run) =>
        new WatcherScale(run, await run.Client.OpenSessionAsync("bench", cancellationToken: run.Token));

    public override async Task GrowAsync(int size)
    {
        // What a new watcher finds is never the newest change, which is counted.
        _changes++;
        while (_watchers.Count < size)
        {
            if (_watchers.Count % PerConnection == 0)
            {
                var client = await _run.Coordinator.ConnectAsync(_run.Token);
                _connections.Add((client, await client.OpenSessionAsync("bench", cancellationToken: _run.Token)));
            }

            _watchers.Add(WatchAsync(_connections[^1].Session.Dict<int>("watched")));
        }

        // Each has seen the newest change: all of them watch.
        await ChangeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_watchers);
        foreach (var (client, session) in _connections)
        {
            await session.DisposeAsync();
            await client.DisposeAsync();
        }

        await _session.DisposeAsync();
        _end.Dispose();
        _seen.Dispose();
    }

    private async Task<long> TellAsync(TimeSpan time) =>
        await ScaleOperation.OneAtATime("", ChangeAsync).RunAsync(time) * _watchers.Count;

    /// <summary>Changes the dict, and waits until all of its watchers have heard of it.</summary>
    private async Task ChangeAsync()
    {
        await _session.Dict<int>("watched").SetAsync("key", Interlocked.Increment(ref _changes), cancellationToken: _run.Token);
        for (var i = 0; i < _watchers.Count; i++)
            await _seen.WaitAsync(_run.Token);
    }

    private async Task WatchAsync(SharedDict<int> dict)
    {
        try
        {
            var told = 0;
            await foreach (var change in dict.WatchAsync(cancellationToken: _end.Token))
            {
                // A snapshot may hold the newest change, or older ones.
                if (change.Kind != DictChangeKind.Set || change.Value <= told || change.Value != Volatile.Read(ref _changes))
                    continue;
                told = change.Value;
                _seen.Release();
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // The end of the bench.
        }
    }
}
