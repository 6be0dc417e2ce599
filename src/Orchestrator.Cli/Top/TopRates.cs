using Orchestrator.V1;

namespace Orchestrator.Cli.Top;

/// <summary>Tasks per second that each worker ends, between two snapshots.</summary>
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
        _seconds = _before.Count == 0 && _ended.Count == 0 ? 0 : (snapshot.At - _at).TotalSeconds;
        (_before, _ended, _at) = (_ended, ended, snapshot.At);
    }

    /// <summary>The worker's rate; null before the second snapshot, and for a new process.</summary>
    public double? Of(WorkerInfo worker) => Of(KeyOf(worker));

    private static string KeyOf(WorkerInfo worker) => $"{worker.Name}#{worker.Incarnation}";

    private double? Of(string key) =>
        _seconds > 0 && _before.TryGetValue(key, out var before) && _ended.TryGetValue(key, out var now)
            ? Math.Max(0, now - before) / _seconds : null;
}
