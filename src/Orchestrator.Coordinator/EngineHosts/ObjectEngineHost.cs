using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>
/// Owns the object engine: its lock, its clock and its one timer. Under the lock, commands are applied and outcomes are routed to their
/// callers; everything that takes time happens after the lock has been released.
/// </summary>
/// <remarks>
/// Outcomes about durable objects are delivered after the journal has written the change. Code that needs both engines' locks takes this
/// one first.
/// </remarks>
internal sealed class ObjectEngineHost : IAttemptObserver, IDisposable
{
    [ThreadStatic]
    private static List<IFlushable>? t_touched;

    private readonly Lock _gate = new();
    private readonly ObjectEffects _effects = new();
    private readonly ObjectEngine _engine;
    private readonly TaskEngineHost _tasks;
    private readonly MonotonicClock _clock;
    private readonly ChangeJournal _journal;
    private readonly EngineTimer _timer;
    private readonly CancellationTokenSource _stopping = new();
    private int _taskSessions;

    public ObjectEngineHost(
        ObjectEngineOptions options, MemoryBudget memory, TaskEngineHost tasks, MonotonicClock clock, ChangeJournal journal,
        ILogger<ObjectEngineHost> logger)
    {
        _tasks = tasks;
        tasks.Attempts = this;
        tasks.Permits = new RateLimiterBridge(this, tasks);
        _journal = journal;
        _engine = new ObjectEngine(
            options with { LastFencingToken = Math.Max(options.LastFencingToken, journal.FirstIds.FencingToken) }, memory);
        _clock = clock;
        _timer = new EngineTimer(clock, Tick, logger);
        Restore();
    }

    /// <summary>Fires when the coordinator stops: waits of unary calls end then, since they can no longer be served.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Ends the waits of unary calls.</summary>
    public void EndWaits() => _stopping.Cancel();

    /// <summary>Applies commands in order under one lock. Each caller gets exactly one outcome per command, now or later.</summary>
    /// <param name="requests">The commands, each with the id of its session; empty where the request named none.</param>
    public void Apply(ReadOnlySpan<ObjectRequest> requests)
    {
        var dirty = RentTouched();
        lock (_gate)
        {
            foreach (ref readonly var request in requests)
                ApplyLocked(request);
            RouteEffects(dirty);
        }

        FlushAll(dirty);
    }

    /// <summary>Applies one command.</summary>
    public void Apply(in ObjectRequest request) => Apply(new ReadOnlySpan<ObjectRequest>(in request));

    /// <summary>Cancels the wait of a caller that has disconnected: nothing is taken, nothing delivered.</summary>
    /// <returns>False if the wait had already ended: its outcome has been or will be delivered.</returns>
    public bool Abandon(Wait wait, IObjectCaller caller)
    {
        bool ended;
        var dirty = RentTouched();
        lock (_gate)
        {
            // Its outcome may already exist but be held back by the journal; it is delivered later in that case.
            ended = _engine.AbandonWait(wait, caller, _clock.Now, _effects);
            HoldSince(0);
            RouteEffects(dirty);
        }

        FlushAll(dirty);
        return ended;
    }

    /// <summary>
    /// Delivers outcomes that were held back until the journal had written them. Called in the order in which the outcomes arose.
    /// </summary>
    public void Release(ObjectDelivery[] outcomes)
    {
        var dirty = RentTouched();
        lock (_gate)
        {
            foreach (ref readonly var delivery in outcomes.AsSpan())
                Deliver(delivery, dirty);
        }

        FlushAll(dirty);
    }

    /// <summary>Queries the engine under its lock. The function must not keep anything that the engine may change.</summary>
    public T Read<T>(Func<ObjectEngine, TimeSpan, T> read)
    {
        lock (_gate)
            return read(_engine, _clock.Now);
    }

    public void OnEnded(IReadOnlyList<AttemptReport> attempts)
    {
        // Most tasks have no session and stop here; a session being created concurrently belongs to an attempt that still runs, so to none
        // of these.
        if (Volatile.Read(ref _taskSessions) == 0)
            return;
        foreach (var attempt in attempts)
            Apply(new ObjectRequest(new EndTaskSessions(attempt.TaskId, attempt.Attempt, "the task's attempt has ended")));
    }

    public void OnWorkerLost(string worker, string cause) => Apply(new ObjectRequest(new EndWorkerSessions(worker, $"{worker} {cause}")));

    public void Dispose()
    {
        lock (_gate)
            _timer.Dispose();
        _stopping.Dispose();
    }

    private void ApplyLocked(in ObjectRequest request)
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        var command = request.Command;
        ObjectError? refused = null;
        if (request.SessionId.Length > 0)
        {
            if ((_engine.FindSession(request.SessionId) ?? OpenTaskSession(request.SessionId, out refused)) is not { } session)
            {
                _effects.Outcomes.Add(
                    new ObjectDelivery(command.Caller, command.Tag, refused ?? ObjectError.UnknownSession(request.SessionId)));
                return;
            }

            command.Session = session;
            // An attempt's session has no stream of its own. Its worker's session stands for the worker's current stream, after a reconnect
            // too.
            if (session.Task is not null && command.Caller is INoticeListener { Session: { } over } && over != session)
                session.Channel = over;
        }

        var before = _effects.Outcomes.Count;
        try
        {
            if (_engine.Apply(command, _clock.Now, _effects) is { } wait && command.Caller is IObjectCaller caller)
                caller.OnWaiting(command.Tag, wait);
        }
        catch (Exception exception)
        {
            // The other commands of the batch, and the callers that this command's effects concern, must not wait forever because of it.
            _timer.OnFault(exception);
            _effects.Outcomes.Add(new ObjectDelivery(command.Caller, command.Tag, ObjectError.Unexpected(exception)));
        }

        HoldSince(before);
    }

    /// <summary>
    /// Holds back the outcomes of one step that changed durable objects, or that reports on durable changes not written yet.
    /// </summary>
    private void HoldSince(int first)
    {
        if (_effects.Changes.Count == 0 && !_effects.SpeaksOfDurable)
            return;
        if (_effects.Changes.Count > 0 || _journal.IsBusy)
        {
            var outcomes = CollectionsMarshal.AsSpan(_effects.Outcomes)[first..].ToArray();
            _effects.Outcomes.RemoveRange(first, outcomes.Length);
            _journal.Append(new PendingObjectOutcomes(this, [.. _effects.Changes], outcomes) { Level = _effects.Level });
        }

        _effects.ClearChanges();
    }

    private void Restore()
    {
        lock (_gate)
        {
            if (_journal.Restored is { } restored)
                _engine.Restore(restored.ToObjects(), _clock.Now, _effects);
            _journal.ForgetRestored();
            HoldSince(0);
            RouteEffects([]);
        }

        _journal.Failed += why =>
        {
            lock (_gate)
                _engine.JournalFailure = why;
        };
        _journal.UsedIds = () =>
        {
            var (task, sequence) = _tasks.Read(engine => (engine.LastTaskId, engine.LastSequence));
            return new JournalIds((ulong)task, Read((engine, _) => engine.LastFencingToken), (ulong)sequence);
        };
    }

    /// <summary>
    /// The session of a running attempt is created when the attempt first uses it, and counts against the quota of the client that
    /// submitted the task. Null if the id names no such attempt, or the session limit is reached.
    /// </summary>
    private Session? OpenTaskSession(string id, out ObjectError? refused)
    {
        refused = null;
        if (!TaskSessionIds.TryParse(id, out var taskId, out var attempt))
            return null;
        var (worker, task) = _tasks.Read(engine => (engine.WorkerOf(taskId, attempt), engine.Find(taskId)));
        if (worker is null)
            return null;
        _engine.Apply(new CreateSession(task?.Handler.Name
            ?? "", Task: new SessionTask(taskId, attempt, worker))
        { Id = id, Client = task?.ObjectClient }, _clock.Now, _effects);
        refused = _effects.Outcomes[^1].Outcome as ObjectError;
        _effects.Outcomes.RemoveAt(_effects.Outcomes.Count - 1);
        if (_engine.FindSession(id) is not { } session)
            return null;
        Volatile.Write(ref _taskSessions, _taskSessions + 1);
        return session;
    }

    private void Tick()
    {
        var dirty = RentTouched();
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

            HoldSince(0);
            RouteEffects(dirty);
        }

        FlushAll(dirty);
    }

    private void RouteEffects(List<IFlushable> dirty)
    {
        foreach (ref readonly var delivery in CollectionsMarshal.AsSpan(_effects.Outcomes))
            Deliver(delivery, dirty);

        foreach (ref readonly var notice in CollectionsMarshal.AsSpan(_effects.Notices))
        {
            if (ListenerOf(notice.Session) is not { } listener)
                continue;
            listener.OnNotice(notice);
            Touch(dirty, listener);
        }

        foreach (var session in _effects.EndedSessions)
        {
            if (session.Task is not null)
                Volatile.Write(ref _taskSessions, _taskSessions - 1);
        }

        _effects.Clear();
        _timer.Arm(_engine.NextDeadline);
    }

    private static INoticeListener? ListenerOf(Session session) =>
        (session.Channel is Session over ? over.Channel : session.Channel) as INoticeListener;

    private static void Deliver(in ObjectDelivery delivery, List<IFlushable> dirty)
    {
        if (delivery.Caller is not IObjectCaller caller)
            return;
        caller.OnOutcome(delivery);
        Touch(dirty, caller);
    }

    private static void FlushAll(List<IFlushable> dirty)
    {
        var alone = dirty.Count == 1;
        foreach (var item in dirty)
            item.Flush(alone);
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
        if (dirty.Count == 0 || dirty[^1] != item)
            dirty.Add(item);
    }
}
