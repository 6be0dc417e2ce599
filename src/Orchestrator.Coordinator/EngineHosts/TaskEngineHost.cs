using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Common;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>
/// Owns the task engine: its lock, its clock and its one timer. Under the lock, a command is applied and its effects are routed to workers,
/// owners and watchers, which preserves their order; everything that takes time happens after the lock has been released.
/// </summary>
internal sealed class TaskEngineHost : IDisposable
{
    [ThreadStatic]
    private static List<IFlushable>? t_touched;

    private readonly Lock _gate = new();
    private readonly TaskEffects _effects = new();
    private readonly TaskEngine _engine;
    private readonly MonotonicClock _clock;
    private readonly ChangeJournal _journal;
    private readonly Queue<PendingTaskEffects> _held = new();
    private readonly EngineTimer _timer;
    private (TaskOwnerBase Owner, IReadOnlyList<SubmitOutcome> Outcomes)? _unwritten;
    private bool _hasJournalFailed;

    public TaskEngineHost(
        TaskEngineOptions options, MemoryBudget memory, MonotonicClock clock, ChangeJournal journal, ILogger<TaskEngineHost> logger)
    {
        Options = options;
        _journal = journal;
        _engine = new TaskEngine(options with
        {
            LastTaskId = Math.Max(options.LastTaskId, (long)journal.FirstIds.TaskId),
            LastSequence = Math.Max(options.LastSequence, (long)journal.FirstIds.EventSequence),
        }, memory);
        _clock = clock;
        _timer = new EngineTimer(clock, Tick, logger);
        lock (_gate)
        {
            if (journal.Restored is { } restored)
                _engine.Restore(restored.ToTasks(), restored.ToForgottenTasks(), clock.Now, _effects);
            RouteEffects([]);
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
            log.Write(report);
        var dirty = RentTouched();
        T? result = default;
        WorkerOrder[] orders;
        lock (_gate)
        {
            _engine.Apply(command, _clock.Now, _effects);
            if (command is TaskCommand.Submit { Owner: TaskOwnerBase receiver })
            {
                // The owner of an accepted task is notified when the task ends; a refusal has no other notification than this.
                receiver.OnSubmitted(_effects.Submitted);
                if (_effects.Submitted.Exists(static outcome => outcome.Refusal is not null))
                    dirty.Add(receiver);
                if (receiver.TellsAcceptance)
                    TellAccepted(receiver);
            }

            if (read is not null)
                result = read(_effects);
            orders = RouteEffects(dirty);
        }

        FlushAll(dirty, orders);
        // Settled again, for holds that an attempt acquired at the very moment of its end.
        Settle(command);
        return result;
    }

    /// <summary>Queries the engine under its lock. The function must not keep anything that the engine may change.</summary>
    public T Read<T>(Func<TaskEngine, T> read)
    {
        lock (_gate)
            return read(_engine);
    }

    /// <summary>Advances the engine to the current time, as the timer would.</summary>
    public void Tick()
    {
        var dirty = RentTouched();
        WorkerOrder[] orders;
        lock (_gate)
        {
            if (!_timer.OnTick())
                return;
            try
            {
                _engine.Tick(_clock.Now, _effects);
            }
            catch (Exception exception)
            {
                _timer.OnFault(exception);
            }

            orders = RouteEffects(dirty);
        }

        FlushAll(dirty, orders);
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

    /// <summary>
    /// Carries out effects that were held back until the journal had written them. Called in the order in which the effects arose.
    /// </summary>
    public void Release(PendingTaskEffects held)
    {
        var dirty = RentTouched();
        lock (_gate)
        {
            _held.Dequeue();
            if (held.Accepted is { } accepted)
            {
                accepted.Owner.OnAccepted(accepted.Outcomes);
                dirty.Add(accepted.Owner);
            }

            if (_hasJournalFailed)
                held.DropStarts();
            RouteEffects(held.Effects, dirty);
        }

        FlushAll(dirty, []);
    }

    public void Dispose()
    {
        lock (_gate)
            _timer.Dispose();
    }

    private void OnJournalFailed(string why)
    {
        var dirty = RentTouched();
        WorkerOrder[] orders;
        lock (_gate)
        {
            var unsent = _held.SelectMany(held => held.Effects.Assignments).Select(item => new AttemptId(item.Task.Id, item.Attempt))
                .ToArray();
            var untold = _held.SelectMany(held => held.Effects.Deliveries).Select(item => item.Task).ToArray();
            _hasJournalFailed = true;
            _engine.FailJournal(why, unsent, untold, _clock.Now, _effects);
            orders = RouteEffects(dirty);
        }

        FlushAll(dirty, orders);
    }

    /// <summary>Durable tasks that are not yet written are announced when they are.</summary>
    private void TellAccepted(TaskOwnerBase receiver)
    {
        var isWritten = _effects.Changes.Count == 0 && _held.Count == 0;
        receiver.OnAccepted(
            _effects.Submitted.FindAll(outcome => outcome.Task is { } task && (isWritten || !PendingTaskEffects.IsDurable(task))));
        if (isWritten)
            return;
        var unwritten = _effects.Submitted.FindAll(static outcome => outcome.Task is { } task && PendingTaskEffects.IsDurable(task));
        if (unwritten.Count > 0)
            _unwritten = (receiver, unwritten);
    }

    /// <summary>
    /// Holds back effects on durable tasks until they are written, behind those already held back; other effects are not delayed.
    /// </summary>
    private void HoldDurable()
    {
        var held = new PendingTaskEffects(this, [.. _effects.Changes]) { Level = _effects.Level, Accepted = _unwritten };
        _unwritten = null;
        held.Take(_effects, _engine);
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

    /// <summary>Routes each effect to its recipient; returns the orders about processes, which are rare.</summary>
    private WorkerOrder[] RouteEffects(List<IFlushable> dirty)
    {
        if (_effects.Changes.Count > 0 || _unwritten is not null || (_held.Count > 0 && PendingTaskEffects.Concerns(_effects, _engine)))
            HoldDurable();
        return RouteEffects(_effects, dirty);
    }

    private WorkerOrder[] RouteEffects(TaskEffects effects, List<IFlushable> dirty)
    {
        // Adjacent effects mostly concern the same worker or owner, and are handed over together.
        var assignments = CollectionsMarshal.AsSpan(effects.Assignments);
        for (int from = 0, to; from < assignments.Length; from = to)
        {
            for (to = from + 1; to < assignments.Length && assignments[to].Worker == assignments[from].Worker;)
                to++;
            var channel = ChannelOf(assignments[from].Worker);
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
        var orders = effects.Orders.Count == 0 ? [] : effects.Orders.ToArray();
        effects.Clear();
        _timer.Arm(_engine.NextDeadline);
        return orders;
    }

    private static IWorkerChannel ChannelOf(WorkerNode worker) => (IWorkerChannel)worker.Channel!;

    private void FlushAll(List<IFlushable> dirty, WorkerOrder[] orders)
    {
        var alone = dirty.Count == 1;
        foreach (var item in dirty)
            item.Flush(alone);
        foreach (var order in orders)
            Orders?.Execute(order);
        dirty.Clear();
        t_touched = dirty;
    }

    // A flush may re-enter this class on the same thread, so the list is taken out of the field while in use.
    private static List<IFlushable> RentTouched()
    {
        var dirty = t_touched ?? [];
        t_touched = null;
        return dirty;
    }

    private static void Touch(List<IFlushable> dirty, IFlushable item)
    {
        // Adjacent effects mostly concern the same few recipients: a short backward scan is faster than a set.
        for (var i = dirty.Count - 1; i >= 0 && i >= dirty.Count - 4; i--)
        {
            if (dirty[i] == item)
                return;
        }

        dirty.Add(item);
    }
}
