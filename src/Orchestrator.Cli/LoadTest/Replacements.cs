using System.Collections.Concurrent;
using System.Diagnostics;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Client;

namespace Orchestrator.Cli.LoadTest;

/// <summary>How long it took from the kill of a worker until its place was filled, as an observer hears it.</summary>
internal sealed class Replacements
{
    private readonly ConcurrentDictionary<string, long> _killed = new();

    public LatencyRecorder Times { get; } = new();

    /// <summary>A worker is about to be killed.</summary>
    public void Killed(string name) => _killed[name] = Stopwatch.GetTimestamp();

    /// <summary>Listens until it is cancelled.</summary>
    public async Task WatchAsync(OrchestratorClient observer, CancellationToken token)
    {
        await foreach (var item in observer.WatchEventsAsync(cancellationToken: token))
        {
            // The subject of what happened before is never that of a worker whose kill is waited for: its place is filled later.
            if (item.Kind == "worker.ready" && _killed.TryRemove(item.Subject.Split('#')[0], out var since))
                Times.Record(since, Stopwatch.GetTimestamp());
        }
    }
}
