using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Coordinator.Services;
using Orchestrator.Coordinator.Supervision;
using Orchestrator.Core.Common;
using Orchestrator.Core.Queues;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>
/// Finds what needs a person: looked for once a second, with or without a viewer, since some of it is also an event of the log.
/// </summary>
internal sealed class AttentionFinder(
    TaskEngineHost host, HistoryRecorder history, SeriesStore series, WorkerSupervisor workers, StreamRegistry streams,
    ObjectIncidents incidents,
    ChangeJournal journal, MemoryBudget memory, EventLog events, MonotonicClock clock)
{
    private static readonly TimeSpan StallTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan UnconsumedTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan QueueTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DeadlockTime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan ShedPause = TimeSpan.FromSeconds(10);

    // A tenth of the tasks, and more than one in ten seconds.
    private const double FailedShare = 0.1;
    private const double FewPerSecond = 0.15;
    private const double FullShare = 0.9;

    private readonly Dictionary<(string Kind, string Subject), Timestamp> _since = [];
    private readonly Dictionary<string, (long Taken, TimeSpan At)> _taken = [];
    private readonly HashSet<(string Kind, string Subject)> _found = [];
    private volatile IReadOnlyList<V1.Attention> _attention = [];
    private Incident _shed;
    private Incident _quarantined;
    private TimeSpan? _shedToldAt;

    /// <summary>What was found at the last look, the most urgent first, then the newest.</summary>
    public IReadOnlyList<V1.Attention> Current => _attention;

    /// <summary>Looks again. Not to be called by two threads at once.</summary>
    public void Look()
    {
        _found.Clear();
        var found = new List<V1.Attention>();
        FindWorkers(found);
        FindTasks(found);
        FindQueues(found);
        FindStreams(found);
        if (memory.Used > memory.Limit * FullShare)
        {
            Add(
                found, "memory.full", "memory_kept", $"{Number(memory.Used >> 20)} of {Number(memory.Limit >> 20)} MB are kept",
                urgent: true);
        }

        if (journal.Failure is { } why)
            Add(found, "journal.failed", "journal", why, urgent: true);
        found.AddRange(incidents.Deadlocks().Where(deadlock => deadlock.At.ToDateTimeOffset() > Wall(clock.Now - DeadlockTime)).TakeLast(3)
            .Select(deadlock => new V1.Attention
            {
                Kind = "deadlock.refused",
                Subject = deadlock.Cycle.Edges[0].Object,
                Message = deadlock.Message,
                Since = deadlock.At,
            }));
        foreach (var past in _since.Keys.Where(key => !_found.Contains(key)).ToArray())
            _since.Remove(past);
        _attention = [.. found.OrderByDescending(item => item.Urgent).ThenByDescending(item => item.Since)];
    }

    private void FindWorkers(List<V1.Attention> found)
    {
        foreach (var group in workers.LostGroups)
        {
            Add(
                found, "group.lost", group, $"the workers of group '{group}' do not start; tasks that only they can run fail",
                urgent: true);
        }

        foreach (var worker in workers.Status.Where(worker => worker.HasFailed || worker.IsBackingOff))
        {
            var what = worker.HasFailed ? "has been given up" : "is started again after a pause";
            Add(found, "worker.failed", worker.Name, $"{worker.Name} {what}: {worker.LastExit}", urgent: worker.HasFailed);
        }
    }

    private void FindTasks(List<V1.Attention> found)
    {
        var (oldest, shed, quarantined, handlers) = host.Read(
            view => (view.OldestReady, view.Shed, view.Quarantined, view.HandlersOf(PlacementPolicy.WorkerProcess).ToArray()));
        if (oldest is { } accepted && clock.Now.Ticks - accepted > QueueTime.Ticks)
        {
            var waited = TimeSpan.FromTicks(clock.Now.Ticks - accepted);
            Add(found, "tasks.waiting", "queue", $"the oldest ready task has waited {Text(waited)} for a worker");
        }

        if (shed.Count > _shed.Count)
        {
            var refused = $"{Number(shed.Count - _shed.Count)} tasks were refused; the last: {shed.Last}";
            Add(found, "task.shed", "limits", refused, urgent: true);
            // A client that goes on retrying would fill the log.
            if (_shedToldAt is not { } told || clock.Now - told > ShedPause)
            {
                events.Add("task.shed", "", refused);
                (_shedToldAt, _shed) = (clock.Now, shed);
            }
        }

        if (quarantined.Count > _quarantined.Count)
            events.Add("task.quarantined", "", quarantined.Last!);
        _quarantined = quarantined;
        foreach (var handler in handlers)
        {
            var (ended, failed) = (series.Latest($"handler/{handler.Name}/ended"), series.Latest($"handler/{handler.Name}/failed"));
            if (failed > FewPerSecond && failed > ended * FailedShare)
            {
                Add(found, "handler.failing", handler.Name, string.Create(
                    CultureInfo.InvariantCulture, $"{failed:0.#} of {ended:0.#} tasks/s of '{handler.Name}' do not succeed"));
            }
        }
    }

    private void FindQueues(List<V1.Attention> found)
    {
        foreach (var queue in history.Queues)
        {
            var name = queue.Spec.Name;
            var kept = queue.ReadyItems + queue.LeasedItems + queue.DelayedItems;
            var taken = queue.PutItems - kept;
            if (!_taken.TryGetValue(name, out var last) || last.Taken != taken || queue.ReadyItems == 0 || queue.WaitingGetters > 0)
            {
                _taken[name] = (taken, clock.Now);
                continue;
            }

            if (clock.Now - last.At < UnconsumedTime)
                continue;
            var age = queue.OldestAge is { } oldest ? $", the oldest for {Text(oldest)}" : "";
            Add(
                found, "queue.unconsumed", name,
                $"nobody takes from the queue '{name}': {Number(queue.ReadyItems)} items wait{age}{FullIn(queue)}",
                isEvent: true, since: Stamp(last.At));
        }

        foreach (var name in _taken.Keys.Except(history.Queues.Select(queue => queue.Spec.Name)).ToArray())
            _taken.Remove(name);
    }

    private string FullIn(QueueInfo queue)
    {
        var rate = series.Latest($"queue/{queue.Spec.Name}/in");
        var room = queue.Spec.MaxItems - queue.ReadyItems - queue.LeasedItems - queue.DelayedItems;
        if (room <= 0)
            return "; it is full";
        return rate > 0 ? $"; it is full in about {Text(TimeSpan.FromSeconds(Math.Min(room / rate, 864_000)))}" : "";
    }

    private void FindStreams(List<V1.Attention> found)
    {
        streams.Look();
        foreach (var flow in streams.Flows())
        {
            // A client that waits for its tasks holds nothing back: only results that it does not read do.
            if (flow.StalledSince is null || flow.UnreadResults == 0)
                continue;
            if (Wall(clock.Now) - flow.StalledSince.ToDateTimeOffset() < StallTime)
                continue;
            Add(
                found, "stream.stalled", $"stream {flow.Number}",
                $"client '{flow.Client}' does not read its results: {Number(flow.CreditsUsed)} of {Number(flow.CreditsLimit)} credits " +
                "are used",
                isEvent: true, since: flow.StalledSince);
        }
    }

    private void Add(
        List<V1.Attention> found, string kind, string subject, string message, bool urgent = false, bool isEvent = false,
        Timestamp? since = null)
    {
        _found.Add((kind, subject));
        if (!_since.TryGetValue((kind, subject), out var first))
        {
            _since.Add((kind, subject), first = since ?? Stamp(clock.Now));
            if (isEvent)
                events.Add(kind, subject, message);
        }

        found.Add(new V1.Attention
        {
            Kind = kind,
            Subject = subject,
            Message = message,
            Since = first,
            Urgent = urgent,
        });
    }

    private DateTimeOffset Wall(TimeSpan time) => clock.ToWallClock(time.Ticks);

    private Timestamp Stamp(TimeSpan time) => Timestamp.FromDateTimeOffset(Wall(time));

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Text(TimeSpan time) => time.TotalMinutes >= 2
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0} min")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s");
}
