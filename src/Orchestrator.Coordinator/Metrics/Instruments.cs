using static Orchestrator.Coordinator.Metrics.InstrumentKind;

namespace Orchestrator.Coordinator.Metrics;

/// <summary>The table of all instruments.</summary>
internal static class Instruments
{
    // Handlers and queues beyond those that have tags of their own.
    public const string Others = "_other";

    public static readonly Instrument TaskAccepted = new(
        "orchestrator.task.accepted", Counter, "{task}", "Tasks that were accepted, and those of an earlier process that had not ended",
        "handler");

    public static readonly Instrument TaskEnded = new(
        "orchestrator.task.ended", Counter, "{task}", "Tasks that have ended; the reason is empty without a failure", "handler", "state",
        "reason");

    public static readonly Instrument TaskAttempts = new(
        "orchestrator.task.attempts", Counter, "{attempt}",
        "Attempts: ended their task, were followed by another, or were given back before they had begun", "handler", "outcome");

    public static readonly Instrument TaskQueued = new(
        "orchestrator.task.queued", Gauge, "{task}", "Tasks that have not started", "handler");

    public static readonly Instrument TaskRunning = new(
        "orchestrator.task.running", Gauge, "{task}", "Tasks that run", "handler", "lane");

    public static readonly Instrument TaskQueueAge = new(
        "orchestrator.task.queue.age", Gauge, "s", "Wait of the task that has waited longest for a lane; 0 for an empty queue",
        "lane");

    public static readonly Instrument TaskDuration = new(
        "orchestrator.task.duration", Histogram, "s", "From a task's acceptance to its end", "handler");

    public static readonly Instrument TaskQueueDuration = new(
        "orchestrator.task.queue.duration", Histogram, "s", "From a task's acceptance to the start of its last attempt", "handler");

    public static readonly Instrument TaskRunDuration = new(
        "orchestrator.task.run.duration", Histogram, "s", "Run time of an attempt", "handler");

    public static readonly Instrument TaskCancelRung = new(
        "orchestrator.task.cancel.rung", Counter, "{task}", "Tasks by the step of the cancellation that ended them", "rung");

    public static readonly Instrument TaskShed = new(
        "orchestrator.task.shed", Counter, "{task}", "Tasks refused because a limit was reached", "limit");

    public static readonly Instrument WorkerState = new(
        "orchestrator.worker.state", Gauge, "{worker}", "1 for the state that the worker is in, 0 for the others", "worker", "group",
        "state");

    public static readonly Instrument WorkerRestarts = new(
        "orchestrator.worker.restarts", Counter, "{restart}",
        "How often a worker was lost, died before it had done anything, or was replaced", "group", "cause");

    public static readonly Instrument WorkerTakeoverDuration = new(
        "orchestrator.worker.takeover.duration", Histogram, "s", "From the loss of a worker to the moment at which another had its place",
        "group");

    public static readonly Instrument WorkerProcessor = new(
        "orchestrator.worker.cpu.utilization", Gauge, "1", "Processor time of the worker, as a share of one core", "worker", "group");

    public static readonly Instrument WorkerMemory = new(
        "orchestrator.worker.memory.usage", Gauge, "By", "Resident memory of the worker", "worker", "group");

    public static readonly Instrument WorkerThreads = new(
        "orchestrator.worker.threads", Gauge, "{thread}", "Threads of the worker", "worker", "group");

    public static readonly Instrument WorkerTasks = new(
        "orchestrator.worker.tasks", Gauge, "{task}", "Tasks that run in the worker", "worker", "group", "lane");

    public static readonly Instrument WorkerPrefetched = new(
        "orchestrator.worker.prefetched", Gauge, "{task}", "Tasks sent ahead to the worker that have not begun", "worker", "group");

    public static readonly Instrument OpenStreams = new("orchestrator.stream.open", Gauge, "{stream}", "Open task streams");

    public static readonly Instrument StreamCredits = new(
        "orchestrator.stream.credits.used", Gauge, "{task}", "Tasks of task streams that have not ended or whose results were not read");

    public static readonly Instrument StreamStalled = new(
        "orchestrator.stream.stalled", Gauge, "{stream}", "Task streams without credits");

    public static readonly Instrument QueueItems = new(
        "orchestrator.queue.items", Gauge, "{item}", "Items of a queue", "queue", "state");

    public static readonly Instrument QueueAge = new(
        "orchestrator.queue.age", Gauge, "s", "Age of the oldest item that can be taken; 0 for an empty queue", "queue");

    public static readonly Instrument QueueWaiters = new(
        "orchestrator.queue.waiters", Gauge, "{waiter}", "Commands that wait at a queue", "queue", "side");

    public static readonly Instrument QueuePut = new("orchestrator.queue.put", Counter, "{item}", "Items that were put", "queue");

    public static readonly Instrument QueueGot = new(
        "orchestrator.queue.got", Counter, "{item}", "Items that were taken and are not leased any more", "queue");

    public static readonly Instrument QueueDeadLettered = new(
        "orchestrator.queue.dead_lettered", Counter, "{item}", "Items that went to the dead-letter queue", "queue");

    public static readonly Instrument QueueDropped = new(
        "orchestrator.queue.dropped", Counter, "{item}", "Items that were dropped", "queue");

    public static readonly Instrument PipeBuffered = new(
        "orchestrator.pipe.buffered", Gauge, "{message}", "Messages under way to either end of a pipe", "pipe");

    public static readonly Instrument SyncHeld = new(
        "orchestrator.sync.held", Gauge, "{hold}", "Holds: locks, permits, leases", "kind");

    public static readonly Instrument SyncWaiters = new("orchestrator.sync.waiters", Gauge, "{waiter}", "Commands that wait", "kind");

    public static readonly Instrument SyncWaitDuration = new(
        "orchestrator.sync.wait.duration", Histogram, "s", "How long commands have waited that were not served at once", "kind");

    public static readonly Instrument DeadlockRefused = new(
        "orchestrator.deadlock.refused", Counter, "{deadlock}", "Waits that were refused since they would have closed a cycle");

    public static readonly Instrument OpenSessions = new("orchestrator.session.open", Gauge, "{session}", "Sessions", "owner");

    public static readonly Instrument SessionLost = new(
        "orchestrator.session.lost", Counter, "{session}", "Sessions that have ended since no sign of life came in time");

    public static readonly Instrument LimitUsed = new(
        "orchestrator.limit.used", Gauge, "", "How far a limit is used, in the limit's unit", "limit", "unit");

    public static readonly Instrument LimitMaximum = new(
        "orchestrator.limit.maximum", Gauge, "", "The limit, in its unit", "limit", "unit");

    public static readonly Instrument JournalCommitDuration = new(
        "orchestrator.journal.commit.duration", Histogram, "s",
        "How long a commit of the journal took; at the level disk it includes the flush", "level");

    public static readonly Instrument JournalBytes = new(
        "orchestrator.journal.bytes", Counter, "By", "Records that were written to the journal", "level");

    public static readonly Instrument EngineLockWaitDuration = new(
        "orchestrator.engine.lock.wait.duration", Histogram, "s", "How long a command has waited for its engine's lock; about one of 1,024",
        "engine");

    public static readonly Instrument PageViewers = new(
        "orchestrator.page.viewers", Gauge, "{viewer}", "Who watches the telemetry: pages and others");

    public static readonly Instrument FeedMissed = new(
        "orchestrator.feed.missed", Counter, "{message}", "Messages of the telemetry that a watcher was too slow for");

    public static readonly Instrument RefusedCalls = new(
        "orchestrator.refused.calls", Counter, "{call}",
        "Calls without a valid credential, and connections of other users to a socket", "why");

    public static readonly Instrument Draining = new("orchestrator.draining", Gauge, "", "1 while no new work is taken");

    public static readonly Instrument ProcessorTime = new("process.cpu.time", Counter, "s", "Processor time of the coordinator");

    public static readonly Instrument ProcessMemory = new("process.memory.usage", Gauge, "By", "Resident memory of the coordinator");

    public static readonly Instrument ProcessThreads = new("process.threads", Gauge, "{thread}", "Threads of the coordinator");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Instrument> All { get; } =
    [
        .. typeof(Instruments).GetFields().Where(field => field.FieldType == typeof(Instrument)).Select(
            field => (Instrument)field.GetValue(null)!),
    ];
}
