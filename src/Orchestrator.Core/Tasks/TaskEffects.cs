using Orchestrator.Core.Journal;
using Orchestrator.Core.Scheduling;

namespace Orchestrator.Core.Tasks;

/// <summary>
/// What the shell has to do after a command, as data. One instance is reused under the engine's lock: take what it holds, then
/// <see cref="Clear"/> it.
/// </summary>
public sealed class TaskEffects
{
    /// <summary>The outcomes of a <see cref="TaskCommand.Submit"/>, in its order.</summary>
    public List<SubmitOutcome> Submitted { get; } = [];

    /// <summary>Attempts to send to workers, in the order in which each worker is to start them.</summary>
    public List<AttemptAssignment> Assignments { get; } = [];

    /// <summary>Attempts to cancel or to ask back; to be sent after <see cref="Assignments"/>.</summary>
    public List<AttemptSignal> Signals { get; } = [];

    /// <summary>Results to hand to their owners, in the order in which they ended.</summary>
    public List<Delivery> Deliveries { get; } = [];

    /// <summary>Events for watchers and for owners that want them.</summary>
    public List<Notification> Notifications { get; } = [];

    /// <summary>What is to happen to worker processes.</summary>
    public List<WorkerOrder> Orders { get; } = [];

    /// <summary>Permits of rate limiters to ask for or to give back.</summary>
    public List<PermitOrder> Permits { get; } = [];

    /// <summary>Ids of the tasks that a cancel moved.</summary>
    public List<long> Cancelled { get; } = [];

    /// <summary>The engine's view of the worker that joined.</summary>
    public WorkerNode? Joined { get; internal set; }

    /// <summary>What happened to durable tasks: to be written down before any effect that concerns them. In order.</summary>
    public List<TaskChange> Changes { get; } = [];

    /// <summary>The highest level among <see cref="Changes"/>, which all of them are written with.</summary>
    public Durability Level { get; internal set; } = Durability.Memory;

    /// <summary>Empties it for the next command.</summary>
    public void Clear()
    {
        Submitted.Clear();
        Assignments.Clear();
        Signals.Clear();
        Deliveries.Clear();
        Notifications.Clear();
        Orders.Clear();
        Permits.Clear();
        Cancelled.Clear();
        Joined = null;
        if (Changes.Count == 0)
            return;
        Changes.Clear();
        Level = Durability.Memory;
    }
}

/// <summary>Send this attempt to this worker. Carries the input, since the record lets go of it when the task ends.</summary>
public readonly record struct AttemptAssignment(WorkerNode Worker, TaskRecord Task, int Attempt, int Slot, object? Input);

/// <summary>Tell a worker something about an attempt that it holds.</summary>
public readonly record struct AttemptSignal(WorkerNode Worker, long TaskId, int Attempt, SignalKind Kind);

/// <summary>What a worker is told about an attempt.</summary>
public enum SignalKind : byte
{
    /// <summary>Cancel it.</summary>
    Cancel,

    /// <summary>Give it back if it has not started.</summary>
    GiveBack,
}

/// <summary>Hand an ended task to an owner.</summary>
public readonly record struct Delivery(TaskOwner Owner, TaskRecord Task, ulong Tag);

/// <summary>Tell a watcher, or an owner that wants events, what happened. One of the two is null.</summary>
public readonly record struct Notification(TaskWatcher? Watcher, TaskOwner? Owner, TaskEventRecord Event);

/// <summary>Ask for one permit of a gate's rate limiter, or give back the one that was granted.</summary>
public readonly record struct PermitOrder(RateGate Gate, PermitOrderKind Kind);

/// <summary>What is to happen to a permit.</summary>
public enum PermitOrderKind : byte
{
    /// <summary>Ask for one; the answer is <see cref="TaskCommand.PermitGranted"/> or <see cref="TaskCommand.PermitRefused"/>.</summary>
    Ask,

    /// <summary>Nobody needs the one that was granted any more.</summary>
    GiveBack,
}

/// <summary>What is to happen to a worker process.</summary>
public readonly record struct WorkerOrder(WorkerNode Worker, WorkerOrderKind Kind);

/// <summary>What is to happen to a worker process.</summary>
public enum WorkerOrderKind : byte
{
    /// <summary>It gets no new work; a successor takes its slot now; it is killed when <see cref="Kill"/> follows.</summary>
    Condemn,

    /// <summary>Nothing innocent runs there any more, or its time is over: end it.</summary>
    Kill,
}
