using System.Collections.Concurrent;
using System.Diagnostics;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Client;

namespace Orchestrator.Cli.LoadTest;

/// <summary>The time from the kill of a worker until its replacement is ready, as reported by events.</summary>
internal sealed class Replacements
{
    private readonly ConcurrentDictionary<string, long> _killed = new();

    public LatencyRecorder Times { get; } = new();

    /// <summary>A worker is about to be killed.</summary>
    public void Killed(string name) => _killed[name] = Stopwatch.GetTimestamp();

    /// <summary>Watches events until cancelled.</summary>
    public async Task WatchAsync(OrchestratorClient observer, CancellationToken token)
    {
        await foreach (var item in observer.Contract.WatchEventsAsync(cancellationToken: token))
        {
            // The subject of an earlier event is never a worker whose kill is still awaited: its replacement comes later.
            if (item.Kind == "worker.ready" && _killed.TryRemove(item.Subject.Split('#')[0], out var since))
                Times.Record(since, Stopwatch.GetTimestamp());
        }
    }
}
