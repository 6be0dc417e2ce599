using Orchestrator.V1;

namespace Orchestrator.Cli.Top;

/// <summary>Tasks per second that each worker and each handler ends, between two snapshots.</summary>
internal sealed class TopRates
{
    private Dictionary<string, long> _ended = [];
    private DateTimeOffset _at;
    private double _seconds;
    private Dictionary<string, long> _before = [];

    public void Add(TopSnapshot snapshot)
    {
        var ended = new Dictionary<string, long>();
        foreach (var worker in snapshot.Status.Workers)
            ended[KeyOf(worker)] = worker.CompletedTasks + worker.FailedTasks;
        foreach (var handler in snapshot.Status.Handlers)
            ended[KeyOf(handler)] = Ended(handler.Counts);
        _seconds = _before.Count == 0 && _ended.Count == 0 ? 0 : (snapshot.At - _at).TotalSeconds;
        (_before, _ended, _at) = (_ended, ended, snapshot.At);
    }

    /// <summary>The worker's rate; null before the second snapshot, and for a new process.</summary>
    public double? Of(WorkerInfo worker) => Of(KeyOf(worker));

    /// <inheritdoc cref="Of(WorkerInfo)"/>
    public double? Of(HandlerStats handler) => Of(KeyOf(handler));

    private static string KeyOf(WorkerInfo worker) => $"{worker.Name}#{worker.Incarnation}";

    // No worker's name contains a space.
    private static string KeyOf(HandlerStats handler) => "handler " + handler.Handler;

    private static long Ended(TaskCounts? counts) =>
        counts is null ? 0 : counts.Succeeded + counts.Failed + counts.Cancelled + counts.TimedOut + counts.WorkerLost;

    private double? Of(string key) =>
        _seconds > 0 && _before.TryGetValue(key, out var before) && _ended.TryGetValue(key, out var now)
            ? Math.Max(0, now - before) / _seconds : null;
}
