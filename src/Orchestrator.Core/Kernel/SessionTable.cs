using System.Diagnostics;
using Orchestrator.Core.Common;

namespace Orchestrator.Core.Kernel;

/// <summary>The sessions: how they begin, live and are unregistered, and what they hold.</summary>
internal sealed class SessionTable(
    KernelOptions options, EngineStep step, DeadlineHeap<DeadlineNode> deadlines, KindTallies tallies)
{
    private readonly Dictionary<string, Session> _sessions = [];
    private readonly Dictionary<string, Session> _lost = [];
    private readonly Queue<Session> _lostByAge = new();
    private readonly Dictionary<long, List<Session>> _ofTasks = [];
    private long _number;

    public int Count => _sessions.Count;

    /// <summary>How many have ended since no sign of life came in time.</summary>
    public long Expired { get; private set; }

    public Dictionary<string, Session>.ValueCollection All => _sessions.Values;

    /// <summary>The sessions of task attempts by the id of the task.</summary>
    public IReadOnlyDictionary<long, List<Session>> OfTasks => _ofTasks;

    /// <summary>The session with this id, also one that was lost recently; null if there is none.</summary>
    public Session? Find(string id) => _sessions.GetValueOrDefault(id) ?? _lost.GetValueOrDefault(id);

    public IReadOnlyList<Session> OfTask(long taskId, int attempt) =>
        _ofTasks.TryGetValue(taskId, out var sessions) ? [.. sessions.Where(session => session.Task!.Attempt == attempt)] : [];

    /// <summary>Scans all sessions: workers die seldom, and an index would cost every task that takes a lock.</summary>
    public IReadOnlyList<Session> OfWorker(string worker) => [.. _sessions.Values.Where(session => session.Task?.Worker == worker)];

    public IReadOnlyList<Session> OfCredential(string credential) =>
        [.. _sessions.Values.Where(session => session.Task is null && session.Client?.Credential == credential)];

    public Session Open(ClientObjectQuota? client, string displayName, TimeSpan? ttl, SessionTask? task, bool isImplicit, string? id = null)
    {
        var session = new Session(step.NextOrder(), id ?? options.SessionIds(++_number), displayName, ttl, task)
        {
            IsImplicit = isImplicit,
            Client = client,
        };
        client?.Sessions += 1;
        _sessions.Add(session.Id, session);
        if (task is null)
            return session;
        if (!_ofTasks.TryGetValue(task.TaskId, out var siblings))
            _ofTasks.Add(task.TaskId, siblings = []);
        siblings.Add(session);
        return session;
    }

    /// <summary>A sign of life, or a change of what keeps the session alive.</summary>
    public void RestartTtl(Session session) =>
        deadlines.Set(session, session.Attachments > 0 || session.Ttl is not { } ttl ? long.MaxValue : step.After(ttl));

    /// <summary>An implicit session that was created with a lease lives at least until then.</summary>
    public void ExtendImplicit(Session session, long until)
    {
        if (session.IsImplicit && session.Deadline < until)
            deadlines.Set(session, until);
    }

    public void AddHold(Hold hold)
    {
        Debug.Assert(!hold.Session.HasEnded, "an ended session is granted nothing");
        hold.Session.Link(hold);
        tallies.AddHold(hold);
        // An implicit session's lease starts with the grant that the session was created for.
        if (hold.Session is { IsImplicit: true, HeapIndex: < 0, Ttl: { } lease })
            deadlines.Set(hold.Session, step.After(lease));
    }

    public void RemoveHold(Hold hold)
    {
        hold.Session.Unlink(hold);
        tallies.RemoveHold(hold);
        RetireIfEmpty(hold.Session);
    }

    /// <summary>Notifies a session that it has lost a hold which it did not release itself.</summary>
    public void NotifyLost(Hold hold)
    {
        if (hold.Session.End is { Cause: not SessionEndCause.Closed } end)
        {
            step.Effects.Notices.Add(new ObjectNotice(
                hold.Session, ObjectErrorReason.SessionLost, hold.Object.QualifiedName, $"{hold.Object} was released: {end.Message}"));
        }
    }

    /// <summary>An implicit session exists only for its hold.</summary>
    public void RetireIfEmpty(Session? session)
    {
        if (session is { IsImplicit: true, HoldCount: 0, WaitCount: 0, HasEnded: false })
            TryClose(session, new SessionEnd(SessionEndCause.Closed, "it held nothing any more"));
    }

    /// <summary>Unregisters a session; false if it was unregistered before.</summary>
    public bool TryClose(Session session, SessionEnd end)
    {
        if (session.HasEnded)
            return false;
        session.End = end;
        if (end.Cause == SessionEndCause.Expired)
            Expired++;
        session.Client?.Sessions -= 1;
        deadlines.Remove(session);
        _sessions.Remove(session.Id);
        session.Operations?.Clear();
        session.Requests?.Clear();
        session.Operations = null;
        session.Requests = null;
        if (session.Task is { } task && _ofTasks.TryGetValue(task.TaskId, out var siblings)
            && siblings.Remove(session) && siblings.Count == 0)
        {
            _ofTasks.Remove(task.TaskId);
        }

        step.Effects.EndedSessions.Add(session);
        if (end.Cause != SessionEndCause.Closed)
            RememberLost(session);
        if (MustBeTold(session, end))
            step.Effects.Notices.Add(new ObjectNotice(session, ObjectErrorReason.SessionLost, "", $"{session} has ended: {end.Message}"));
        return true;
    }

    /// <summary>The error in a time to live or a lease; null if it is valid.</summary>
    public ObjectError? ValidateTtl(string field, TimeSpan? ttl) => ttl <= TimeSpan.Zero || ttl > options.MaxSessionTtl
        ? ObjectError.Invalid(
            field, $"the {field} of {ttl.Value.TotalSeconds} s must be more than zero and at most {options.MaxSessionTtl.TotalSeconds} s")
        : null;

    /// <summary>Why no further session can be created; null if one can.</summary>
    public ObjectError? ValidateNew(ClientObjectQuota? client, bool isTask)
    {
        var most = isTask ? options.MaxSessions : options.MaxSessions - options.SessionsForTasks;
        if (_sessions.Count >= most)
        {
            var part = isTask ? "" : $" without the {options.SessionsForTasks} that are kept for tasks";
            return new ObjectError(
                ObjectErrorReason.LimitExceeded,
                $"there are {_sessions.Count} sessions, the most that may exist at once{part} (objects.sessions)")
            {
                Field = "session_id",
            };
        }

        return client is null || client.Sessions < options.MaxSessionsPerClient
            ? null
            : new ObjectError(
                ObjectErrorReason.LimitExceeded,
                $"client {client.Name} has {client.Sessions} sessions, the most that one client may have at once (sessions_per_client), " +
                "those of its tasks and of its holds without a session included")
            {
                Subject = client.Name,
            };
    }

    /// <summary>The error of a client that may not use a session.</summary>
    public static ObjectError NotItsOwn(Session session) => new(
        ObjectErrorReason.PermissionDenied,
        session.Task is null
            ? $"{session} was created with another credential, and can be used with that one only"
            : $"{session} is for the worker that runs its task")
    {
        Field = "session_id",
    };

    /// <summary>
    /// The client that closes a session need not be the one that listens for it: the listener is notified, and an owner that closes its own
    /// session can ignore the notice. An attempt without holds has lost nothing, which saves a message for each task that ends normally.
    /// </summary>
    private static bool MustBeTold(Session session, SessionEnd end) => end.Cause switch
    {
        SessionEndCause.Closed => session.Channel is not null,
        SessionEndCause.TaskEnded => session.HoldCount > 0,
        _ => true,
    };

    private void RememberLost(Session session)
    {
        _lost[session.Id] = session;
        _lostByAge.Enqueue(session);
        if (_lostByAge.Count > options.MaxLostSessions)
            _lost.Remove(_lostByAge.Dequeue().Id);
    }
}
