using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Tracing;
using Orchestrator.Core.Common;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>The host of the task engine: assignments and signals go to workers, ends and events to owners and watchers.</summary>
internal sealed class TaskEngineHost : EngineHost<TaskEngine, TaskEffects>
{
    private readonly ChangeJournal _journal;
    private readonly TaskTracer _tracer;
    private readonly Queue<PendingTaskEffects> _held = new();
    private (TaskOwnerBase Owner, IReadOnlyList<SubmitOutcome> Outcomes)? _unwritten;
    private bool _hasJournalFailed;

    public TaskEngineHost(
        TaskEngineOptions options, MemoryBudget memory, MonotonicClock clock, ChangeJournal journal, TaskTracer tracer,
        ILogger<TaskEngineHost> logger)
        : base(Create(options, memory, journal), clock, logger)
    {
        Options = options;
        (_journal, _tracer) = (journal, tracer);
        lock (Gate)
        {
            if (journal.Restored is { } restored)
                Engine.Restore(restored.ToTasks(), restored.ToForgottenTasks(), Now, Effects);
            RouteEffectsLocked([]);
        }

        journal.Failed += OnJournalFailed;
    }

    /// <summary>The engine's options.</summary>
    public TaskEngineOptions Options { get; }

    /// <summary>Executes orders about worker processes; set once, before the first worker joins.</summary>
    public IWorkerOrders? Orders { get; set; }

    /// <summary>The source of rate limiter permits; set once, before the first worker joins.</summary>
    public RateLimiterBridge? Permits { get; set; }

    /// <summary>
    /// Is notified of the ends of attempts before the engine, so that a client that learns of an end finds the attempt's holds already
    /// settled.
    /// </summary>
    public IAttemptObserver? Attempts { get; set; }

    /// <summary>Receives tasks' log lines in addition to the tasks themselves; set once, before the first worker joins.</summary>
    public TaskLog? TaskLog { get; set; }

    /// <summary>Applies a command and carries out its effects.</summary>
    public void Apply(TaskCommand command) => Apply<object?>(command, null);

    /// <summary>Applies a command, reads from its effects under the lock, and carries them out.</summary>
    public T? Apply<T>(TaskCommand command, Func<TaskEffects, T>? read)
    {
        Settle(command);
        if (TaskLog is { } log && command is TaskCommand.Report { Updates.Count: > 0 } report)
            log.Write(report, FindSpan);
        var dirty = RentDirty();
        T? result = default;
        var began = Waits.Begin();
        lock (Gate)
        {
            Waits.Entered(began);
            Engine.Apply(command, Now, Effects);
            if (command is TaskCommand.Submit { Owner: TaskOwnerBase receiver })
            {
                // The owner of an accepted task is notified when the task ends; a refusal has no other notification than this.
                receiver.OnSubmitted(Effects.Submitted);
                if (Effects.Submitted.Exists(static outcome => outcome.Refusal is not null))
                    dirty.Add(receiver);
                if (receiver.TellsAcceptance)
                    TellAcceptedLocked(receiver);
            }

            if (read is not null)
                result = read(Effects);
            RouteEffectsLocked(dirty);
        }

        FlushAll(dirty);
        // Settled again, for holds that an attempt acquired at the very moment of its end.
        Settle(command);
        return result;
    }

    /// <summary>Asks the engine under its lock. The function must not keep anything that the engine may change.</summary>
    public T Read<T>(Func<TaskEngineView, T> read)
    {
        lock (Gate)
            return read(Engine.View);
    }

    /// <summary>Waits until all changes to durable tasks so far are written.</summary>
    /// <exception cref="Grpc.Core.RpcException">JOURNAL_FAILED: they were not.</exception>
    public async Task WrittenAsync()
    {
        if (await _journal.WrittenAsync() is { } why)
            throw RpcErrors.Create(
                V1.ErrorReason.JournalFailed, $"the journal has failed, so it is not known whether this was written: {why}");
    }

    /// <summary>As <see cref="WrittenAsync"/>, for reads: if the journal has failed, the engine's state is the answer.</summary>
    public Task SettledAsync() => _journal.WrittenAsync();

    /// <summary>Ends of durable tasks that the engine has forgotten, newest first.</summary>
    public IReadOnlyList<V1.TaskInfo> ReadHistory(long before, int maximum) => _journal.ReadHistory(before, maximum);

    /// <summary>The span of an attempt that is traced and has begun; null otherwise.</summary>
    public Activity? FindSpan(AttemptId attempt)
    {
        if (!_tracer.IsOn)
            return null;
        lock (Gate)
            return (Engine.View.Find(attempt.TaskId)?.Trace as TaskTrace)?.Find(attempt.Attempt);
    }

    /// <summary>
    /// Carries out effects that were held back until the journal had written them. Called in the order in which the effects arose.
    /// </summary>
    public void Release(PendingTaskEffects held)
    {
        var dirty = RentDirty();
        lock (Gate)
        {
            _held.Dequeue();
            if (held.Accepted is { } accepted)
            {
                accepted.Owner.OnAccepted(accepted.Outcomes);
                dirty.Add(accepted.Owner);
            }

            if (_hasJournalFailed)
                held.DropStarts();
            RouteEffectsLocked(held.Effects, dirty);
        }

        FlushAll(dirty);
    }

    protected override void TickLocked()
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        Engine.Tick(Now, Effects);
    }

    private static TaskEngine Create(TaskEngineOptions options, MemoryBudget memory, ChangeJournal journal) => new(
        options with
        {
            LastTaskId = Math.Max(options.LastTaskId, (long)journal.FirstIds.TaskId),
            LastSequence = Math.Max(options.LastSequence, (long)journal.FirstIds.EventSequence),
        },
        memory);

    private void OnJournalFailed(string why)
    {
        var dirty = RentDirty();
        lock (Gate)
        {
            var unsent = _held.SelectMany(held => held.Effects.Assignments).Select(item => new AttemptId(item.Task.Id, item.Attempt))
                .ToArray();
            var untold = _held.SelectMany(held => held.Effects.Deliveries).Select(item => item.Task).ToArray();
            _hasJournalFailed = true;
            Engine.FailJournal(why, unsent, untold, Now, Effects);
            RouteEffectsLocked(dirty);
        }

        FlushAll(dirty);
    }

    /// <summary>Durable tasks that are not yet written are announced when they are.</summary>
    private void TellAcceptedLocked(TaskOwnerBase receiver)
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        var isWritten = Effects.Changes.Count == 0 && _held.Count == 0;
        receiver.OnAccepted(
            Effects.Submitted.FindAll(outcome => outcome.Task is { } task && (isWritten || !PendingTaskEffects.IsDurable(task))));
        if (isWritten)
            return;
        var unwritten = Effects.Submitted.FindAll(static outcome => outcome.Task is { } task && PendingTaskEffects.IsDurable(task));
        if (unwritten.Count > 0)
            _unwritten = (receiver, unwritten);
    }

    /// <summary>
    /// Holds back effects on durable tasks until they are written, behind those already held back; other effects are not delayed.
    /// </summary>
    private void HoldDurableLocked()
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        var held = new PendingTaskEffects(this, [.. Effects.Changes]) { Level = Effects.Level, Accepted = _unwritten };
        _unwritten = null;
        held.Take(Effects, Engine.View);
        _held.Enqueue(held);
        _journal.Append(held);
    }

    private void Settle(TaskCommand command)
    {
        if (command is TaskCommand.Report report)
            Attempts?.OnEnded(report.Results);
        else if (command is TaskCommand.WorkerLost lost)
            Attempts?.OnWorkerLost(lost.Worker.Name, lost.PostMortem?.Cause ?? "has ended");
    }

    protected override void RouteEffectsLocked(List<IFlushable> dirty)
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        if (Effects.Changes.Count > 0 || _unwritten is not null || (_held.Count > 0 && PendingTaskEffects.Concerns(Effects, Engine.View)))
            HoldDurableLocked();
        RouteEffectsLocked(Effects, dirty);
    }

    private void RouteEffectsLocked(TaskEffects effects, List<IFlushable> dirty)
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        var isTraced = _tracer.IsOn;
        // Adjacent effects mostly concern the same worker or owner, and are handed over together.
        var assignments = CollectionsMarshal.AsSpan(effects.Assignments);
        for (int from = 0, to; from < assignments.Length; from = to)
        {
            for (to = from + 1; to < assignments.Length && assignments[to].Worker == assignments[from].Worker;)
                to++;
            var channel = ChannelOf(assignments[from].Worker);
            if (isTraced)
                _tracer.OnAssigned(assignments[from..to]);
            channel.Queue(assignments[from..to]);
            Touch(dirty, channel);
        }

        foreach (ref readonly var signal in CollectionsMarshal.AsSpan(effects.Signals))
        {
            var channel = ChannelOf(signal.Worker);
            channel.Queue(signal);
            Touch(dirty, channel);
        }

        foreach (ref readonly var notification in CollectionsMarshal.AsSpan(effects.Notifications))
        {
            if (notification.Watcher is TaskWatcherBase listener)
            {
                listener.OnEvent(notification.Event);
                Touch(dirty, listener);
            }
            else if (notification.Owner is TaskOwnerBase receiver)
            {
                receiver.OnEvent(notification.Event);
                Touch(dirty, receiver);
            }
        }

        var deliveries = CollectionsMarshal.AsSpan(effects.Deliveries);
        for (int from = 0, to; from < deliveries.Length; from = to)
        {
            for (to = from + 1; to < deliveries.Length && deliveries[to].Owner == deliveries[from].Owner;)
                to++;
            var receiver = (TaskOwnerBase)deliveries[from].Owner;
            receiver.OnEnded(deliveries[from..to]);
            Touch(dirty, receiver);
        }

        foreach (ref readonly var order in CollectionsMarshal.AsSpan(effects.Permits))
            Touch(dirty, Permits!.Record(order));
        foreach (var order in effects.Orders)
            dirty.Add(new OrderExecution(this, order));
        if (effects.Ended.Count > 0 && _tracer.OnEnded(effects.Ended))
            dirty.Add(_tracer);
        effects.Clear();
        Effects.ListsEnds = isTraced;
        ArmLocked(Engine.NextDeadline);
    }

    private static IWorkerChannel ChannelOf(WorkerNode worker) => (IWorkerChannel)worker.Channel!;

    /// <summary>An order about a worker process, which are rare: executed like a recipient, after the lock has been released.</summary>
    private sealed class OrderExecution(TaskEngineHost host, WorkerOrder order) : IFlushable
    {
        public void Flush(bool alone) => host.Orders?.Execute(order);
    }
}
