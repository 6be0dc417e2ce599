using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Services;
using Orchestrator.Coordinator.Supervision;
using Orchestrator.Core.Common;
using Orchestrator.Core.Queues;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>Takes the figures of each second for <see cref="SeriesStore"/>.</summary>
internal sealed class HistoryRecorder(
    TaskEngineHost host, ObjectEngineHost objects, WorkerSupervisor workers, StreamRegistry streams, HandlerWindows windows,
    MemoryBudget memory, MonotonicClock clock, SeriesStore series)
{
    /// <summary>Handlers and queues that have series of their own: the busiest.</summary>
    public const int MaxNames = 64;

    // All queues have to be looked at to find the fullest: above this, only every tenth second.
    private const int ManyQueues = 20_000;

    private const string PerSecond = "tasks/s";
    private const string Tasks = "tasks";
    private const string Milliseconds = "ms";
    private const string Bytes = "bytes";
    private const string Percent = "%";
    private const string Items = "items";

    private readonly Dictionary<string, Counts> _handlers = [];
    private readonly Dictionary<string, (long Put, long Taken)> _queues = [];
    private readonly Dictionary<string, long> _completed = [];
    private Counts _last;
    private TimeSpan _at = clock.Now;
    private TimeSpan _processor = Environment.CpuUsage.TotalTime;
    private int _seconds;

    /// <summary>The fullest queues at the last look.</summary>
    public IReadOnlyList<QueueInfo> Queues { get; private set; } = [];

    /// <summary>Takes the figures of the second that has just ended. Not to be called by two threads at once.</summary>
    public void Record()
    {
        var now = clock.Now;
        var seconds = Math.Max(0.001, (now - _at).TotalSeconds);
        _at = now;
        series.Begin(now);
        RecordTasks(seconds);
        RecordProcess(seconds);
        RecordWorkers(seconds);
        RecordObjects(now, seconds);
        _seconds++;
    }

    private void RecordTasks(double seconds)
    {
        var (counts, window, handlers) = host.Read(view => (Counts.Of(view.Tally), windows.Report(view), HandlersOf(view)));
        series.Add("tasks.accepted", PerSecond, (counts.Accepted - _last.Accepted) / seconds);
        series.Add("tasks.ended", PerSecond, (counts.Ended - _last.Ended) / seconds);
        series.Add("tasks.failed", PerSecond, (counts.Failed - _last.Failed) / seconds);
        series.Add("tasks.retried", PerSecond, (counts.Retried - _last.Retried) / seconds);
        series.Add("tasks.queued", Tasks, counts.Queued);
        series.Add("tasks.running", Tasks, counts.Running);
        AddTime("latency.p50", window.LatencyP50);
        AddTime("latency.p99", window.LatencyP99);
        _last = counts;

        var times = window.Handlers.ToDictionary(handler => handler.Handler);
        foreach (var (name, tally) in handlers)
        {
            var before = _handlers.GetValueOrDefault(name);
            series.Add($"handler/{name}/ended", PerSecond, (tally.Ended - before.Ended) / seconds);
            series.Add($"handler/{name}/failed", PerSecond, (tally.Failed - before.Failed) / seconds);
            series.Add($"handler/{name}/queued", Tasks, tally.Queued);
            series.Add($"handler/{name}/running", Tasks, tally.Running);
            var latest = times.GetValueOrDefault(name);
            AddTime($"handler/{name}/run_p50", latest?.RunP50);
            AddTime($"handler/{name}/run_p99", latest?.RunP99);
            AddTime($"handler/{name}/latency_p50", latest?.LatencyP50);
            AddTime($"handler/{name}/latency_p99", latest?.LatencyP99);
            _handlers[name] = tally;
        }

        foreach (var name in _handlers.Keys.Except(handlers.Select(handler => handler.Name)).ToArray())
            _handlers.Remove(name);
    }

    private void RecordProcess(double seconds)
    {
        var processor = Environment.CpuUsage.TotalTime;
        series.Add("coordinator.cpu", Percent, (processor - _processor).TotalSeconds / seconds * 100);
        series.Add("coordinator.memory", Bytes, Environment.WorkingSet);
        series.Add("memory.kept", Bytes, memory.Used);
        series.Add("streams", "streams", streams.Count);
        _processor = processor;
    }

    private void RecordWorkers(double seconds)
    {
        foreach (var worker in workers.Status)
        {
            if (worker.View is not { } view)
                continue;
            var prefix = $"worker/{worker.Name}/";
            var completed = view.Succeeded + view.Failed;
            // Another incarnation counts from zero.
            var before = Math.Min(completed, _completed.GetValueOrDefault(worker.Name));
            series.Add(prefix + "completed", PerSecond, (completed - before) / seconds);
            _completed[worker.Name] = completed;
            series.Add(prefix + "running", Tasks, view.Running);
            series.Add(prefix + "prefetched", Tasks, view.Prefetched);
            if (worker.Vitals is not { } vitals)
                continue;
            series.Add(prefix + "cpu", Percent, vitals.CpuPercent);
            series.Add(prefix + "memory", Bytes, vitals.RssBytes);
            series.Add(prefix + "threads", "threads", vitals.Threads);
        }
    }

    private void RecordObjects(TimeSpan now, double seconds)
    {
        var (sessions, items, count) = objects.Read((view, _) => (view.SessionCount, view.QueuedItemCount, view.QueueCount));
        series.Add("sessions", "sessions", sessions);
        series.Add("queues.items", Items, items);
        if (count > ManyQueues && _seconds % 10 != 0)
            return;
        Queues = objects.Read((view, at) => view.FullestQueues(MaxNames, at));
        foreach (var queue in Queues)
        {
            var prefix = $"queue/{queue.Spec.Name}/";
            var kept = queue.ReadyItems + queue.LeasedItems + queue.DelayedItems;
            var taken = queue.PutItems - kept;
            var before = _queues.GetValueOrDefault(queue.Spec.Name, (Put: queue.PutItems, Taken: taken));
            series.Add(prefix + "items", Items, kept);
            series.Add(prefix + "in", "items/s", (queue.PutItems - before.Put) / seconds);
            series.Add(prefix + "out", "items/s", (taken - before.Taken) / seconds);
            if (queue.OldestAge is { } age)
                series.Add(prefix + "oldest", "s", age.TotalSeconds);
            _queues[queue.Spec.Name] = (queue.PutItems, taken);
        }

        // Names that are no longer among the fullest count anew when they are.
        foreach (var name in _queues.Keys.Except(Queues.Select(queue => queue.Spec.Name)).ToArray())
            _queues.Remove(name);
    }

    private void AddTime(string name, Google.Protobuf.WellKnownTypes.Duration? time)
    {
        if (time is not null)
            series.Add(name, Milliseconds, time.ToTimeSpan().TotalMilliseconds);
    }

    private static List<(string Name, Counts Counts)> HandlersOf(TaskEngineView view) =>
    [
        .. Enum.GetValues<PlacementPolicy>()
            .SelectMany(placement => view.HandlersOf(placement).Select(handler => (placement, handler)))
            .Where(item => item.handler.Tally.Accepted > 0)
            .OrderByDescending(item => item.handler.Tally.Accepted)
            .Take(MaxNames)
            .Select(item => (StatusReporter.NameOf(item.handler, item.placement), Counts.Of(item.handler.Tally))),
    ];

    /// <summary>The counts of one look.</summary>
    private readonly record struct Counts(long Accepted, long Ended, long Failed, long Retried, long Queued, long Running)
    {
        public static Counts Of(TaskTally tally) => new(
            tally.Accepted,
            tally.EndedTotal,
            tally.FailedTotal,
            tally.Retried,
            tally.Queued,
            tally.Running);
    }
}
