using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Tracing;
using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>The host of the object engine: outcomes go to their callers, notices to the listeners of sessions.</summary>
/// <remarks>
/// Outcomes about durable objects are delivered after the journal has written the change. Code that needs both engines' locks takes this
/// one first.
/// </remarks>
internal sealed class ObjectEngineHost : EngineHost<ObjectEngine, ObjectEffects>, IAttemptObserver
{
    // A question holds the lock for about half a millisecond to complete an index, then lets others have it.
    private const int MaxIndexed = 512;

    private readonly TaskEngineHost _tasks;
    private readonly ChangeJournal _journal;
    private readonly ObjectIncidents _incidents;
    private readonly TaskTracer _tracer;
    private readonly CancellationTokenSource _stopping = new();
    private int _taskSessions;

    public ObjectEngineHost(
        ObjectEngineOptions options, MemoryBudget memory, TaskEngineHost tasks, MonotonicClock clock, ChangeJournal journal,
        ObjectIncidents incidents, TaskTracer tracer, ILogger<ObjectEngineHost> logger)
        : base(
            new ObjectEngine(
                options with { LastFencingToken = Math.Max(options.LastFencingToken, journal.FirstIds.FencingToken) }, memory),
            clock,
            logger)
    {
        (_tasks, _incidents, _tracer) = (tasks, incidents, tracer);
        tasks.Attempts = this;
        tasks.Permits = new RateLimiterBridge(this, tasks);
        _journal = journal;
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
        var dirty = RentDirty();
        var began = Waits.Begin();
        lock (Gate)
        {
            Waits.Entered(began);
            foreach (ref readonly var request in requests)
                ApplyLocked(request);
            RouteEffectsLocked(dirty);
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
        var dirty = RentDirty();
        lock (Gate)
        {
            // Its outcome may already exist but be held back by the journal; it is delivered later in that case.
            ended = Engine.AbandonWait(wait, caller, Now, Effects);
            RouteEffectsLocked(dirty);
        }

        FlushAll(dirty);
        return ended;
    }

    /// <summary>
    /// Delivers outcomes that were held back until the journal had written them. Called in the order in which the outcomes arose.
    /// </summary>
    public void Release(ObjectDelivery[] outcomes)
    {
        var dirty = RentDirty();
        lock (Gate)
        {
            foreach (ref readonly var delivery in outcomes.AsSpan())
                Deliver(delivery, dirty);
        }

        FlushAll(dirty);
    }

    /// <summary>
    /// Asks the engine under its lock, several times if the question needs an index that is not complete. The function must not keep
    /// anything that the engine may change.
    /// </summary>
    public T Read<T>(Func<ObjectEngineView, TimeSpan, T> read)
    {
        while (true)
        {
            lock (Gate)
            {
                Engine.View.BeginQuestion(MaxIndexed);
                var answer = read(Engine.View, Now);
                if (!Engine.View.IsQuestionUnfinished)
                    return answer;
            }

            // Lets a thread that waits for the lock have it next: taken again at once, it would be kept from those that were woken.
            Thread.Yield();
        }
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

    public override void Dispose()
    {
        base.Dispose();
        _stopping.Dispose();
    }

    private void ApplyLocked(in ObjectRequest request)
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        var command = request.Command;
        ObjectError? refused = null;
        if (request.SessionId.Length > 0)
        {
            if ((Engine.View.FindSession(request.SessionId) ?? OpenTaskSession(request.SessionId, out refused)) is not { } session)
            {
                Effects.Outcomes.Add(
                    new ObjectDelivery(command.Caller, command.Tag, refused ?? ObjectError.UnknownSession(request.SessionId)));
                return;
            }

            command.Session = session;
            // An attempt's session has no stream of its own. Its worker's session stands for the worker's current stream, after a reconnect
            // too.
            if (session.Task is not null && command.Caller is INoticeListener { Session: { } over } && over != session)
                session.Channel = over;
        }

        var before = Effects.Outcomes.Count;
        try
        {
            if (Engine.Apply(command, Now, Effects) is { } wait && command.Caller is IObjectCaller caller)
                caller.OnWaiting(command.Tag, wait);
        }
        catch (Exception exception)
        {
            // The other commands of the batch, and the callers that this command's effects concern, must not wait forever because of it.
            OnFault(exception);
            Effects.Outcomes.Add(new ObjectDelivery(command.Caller, command.Tag, ObjectError.Unexpected(exception)));
        }

        HoldSinceLocked(before);
    }

    /// <summary>
    /// Holds back the outcomes of one step that changed durable objects, or that reports on durable changes not written yet.
    /// </summary>
    private void HoldSinceLocked(int first)
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        if (Effects.Changes.Count == 0 && !Effects.SpeaksOfDurable)
            return;
        if (Effects.Changes.Count > 0 || _journal.IsBusy)
        {
            var outcomes = CollectionsMarshal.AsSpan(Effects.Outcomes)[first..].ToArray();
            Effects.Outcomes.RemoveRange(first, outcomes.Length);
            _journal.Append(new PendingObjectOutcomes(this, [.. Effects.Changes], outcomes) { Level = Effects.Level });
        }

        Effects.ClearChanges();
    }

    private void Restore()
    {
        lock (Gate)
        {
            if (_journal.Restored is { } restored)
                Engine.Restore(restored.ToObjects(), Now, Effects);
            _journal.ForgetRestored();
            RouteEffectsLocked([]);
        }

        _journal.Failed += why =>
        {
            lock (Gate)
                Engine.JournalFailure = why;
        };
        _journal.UsedIds = () =>
        {
            var (task, sequence) = _tasks.Read(view => (view.LastTaskId, view.LastSequence));
            return new JournalIds((ulong)task, Read((view, _) => view.LastFencingToken), (ulong)sequence);
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
        var (worker, task) = _tasks.Read(view => (view.WorkerOf(taskId, attempt), view.Find(taskId)));
        if (worker is null)
            return null;
        Engine.Apply(new CreateSession(task?.Handler.Name
            ?? "", Task: new SessionTask(taskId, attempt, worker))
        { Id = id, Client = task?.ObjectClient }, Now, Effects);
        refused = Effects.Outcomes[^1].Outcome as ObjectError;
        Effects.Outcomes.RemoveAt(Effects.Outcomes.Count - 1);
        if (Engine.View.FindSession(id) is not { } session)
            return null;
        Volatile.Write(ref _taskSessions, _taskSessions + 1);
        return session;
    }

    protected override void TickLocked()
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        Engine.Tick(Now, Effects);
    }

    protected override void RouteEffectsLocked(List<IFlushable> dirty)
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        HoldSinceLocked(0);
        foreach (ref readonly var delivery in CollectionsMarshal.AsSpan(Effects.Outcomes))
            Deliver(delivery, dirty);

        foreach (ref readonly var notice in CollectionsMarshal.AsSpan(Effects.Notices))
        {
            if (ListenerOf(notice.Session) is not { } listener)
                continue;
            listener.OnNotice(notice);
            Touch(dirty, listener);
        }

        foreach (var session in Effects.EndedSessions)
        {
            if (session.Task is not null)
                Volatile.Write(ref _taskSessions, _taskSessions - 1);
            _incidents.OnEnded(session);
        }

        foreach (var cycle in Effects.Deadlocks)
            _incidents.OnDeadlock(cycle);

        foreach (ref readonly var wait in CollectionsMarshal.AsSpan(Effects.EndedWaits))
        {
            // While its task has not ended, which it may as soon as it has the outcome.
            if (_tasks.FindSpan(new AttemptId(wait.Task.TaskId, wait.Task.Attempt)) is not { } attempt)
                continue;
            _tracer.OnWaited(attempt, wait);
            Touch(dirty, _tracer);
        }

        Effects.Clear();
        Effects.ListsWaits = _tracer.IsOn;
        ArmLocked(Engine.NextDeadline);
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
}
