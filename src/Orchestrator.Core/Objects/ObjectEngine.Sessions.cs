using Orchestrator.Core.Sessions;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Objects;

/// <summary>Sessions: how they begin, live and end.</summary>
public sealed partial class ObjectEngine
{
    private readonly Dictionary<string, Session> _sessions = [];
    private readonly Dictionary<string, Session> _lost = [];
    private readonly Queue<Session> _lostByAge = new();
    private readonly Dictionary<long, List<Session>> _sessionsOfTasks = [];
    private long _sessionNumber;

    /// <summary>
    /// The session with this id; null if there is none. Includes sessions that were lost recently: a command on their behalf reports why.
    /// </summary>
    public Session? FindSession(string id) => _sessions.GetValueOrDefault(id) ?? _lost.GetValueOrDefault(id);

    internal void OnCreateSession(CreateSession command)
    {
        if (ValidateTtl("ttl", command.Ttl) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        if (ValidateSession(command.Client, isTask: command.Task is not null) is { } full)
        {
            Complete(command, full);
            return;
        }

        var ttl = command.Ttl ?? (command.Task is null ? _options.DefaultSessionTtl : null);
        var session = Open(command.Client, command.DisplayName, ttl, command.Task, isImplicit: false, command.Id);
        session.Channel = command.Channel;
        if (command.Task is { } task)
        {
            if (!_sessionsOfTasks.TryGetValue(task.TaskId, out var sessions))
                _sessionsOfTasks.Add(task.TaskId, sessions = []);
            sessions.Add(session);
        }

        RestartTtl(session);
        Complete(command, new CreateSessionOutcome(session));
    }

    internal void OnKeepSessionAlive(KeepSessionAlive command)
    {
        if (command.Session is not { } session)
        {
            Complete(command, ObjectError.Invalid("session_id", "session_id must name the session to keep alive"));
            return;
        }

        RestartTtl(session);
        Complete(command, new KeepSessionAliveOutcome(session.Ttl));
    }

    internal void OnAttachSession(ObjectCommand command, int change)
    {
        if (command.Session is { } session)
        {
            session.Attachments = Math.Max(0, session.Attachments + change);
            RestartTtl(session);
        }

        Complete(command, Done.Instance);
    }

    internal void OnCloseSession(CloseSession command)
    {
        if (command.Session is not { } session)
        {
            Complete(command, ObjectError.Invalid("session_id", "session_id must name the session to close"));
            return;
        }

        Complete(command, Done.Instance);
        EndSession(session, SessionEndCause.Closed, "it was closed");
    }

    internal void OnEndSessions(ObjectCommand command, IReadOnlyList<Session> sessions, SessionEndCause cause, string message)
    {
        Complete(command, new EndSessionsOutcome(sessions.Count(session => !session.HasEnded)));
        End(sessions, cause, message);
    }

    /// <summary>A session for a request that named none; null if there are too many, and then the command is completed.</summary>
    internal Session? OpenImplicit(ObjectCommand command, TimeSpan? lease)
    {
        if (ValidateSession(command.Client, isTask: false) is not { } full)
            return Open(command.Client, "", lease ?? _options.DefaultSessionTtl, null, isImplicit: true);
        Complete(command, full);
        return null;
    }

    /// <summary>The error in a time to live or a lease; null if it is valid.</summary>
    internal ObjectError? ValidateTtl(string field, TimeSpan? ttl) => ttl <= TimeSpan.Zero || ttl > _options.MaxSessionTtl
        ? ObjectError.Invalid(field, $"the {field} of {ttl.Value.TotalSeconds} s must be more than zero and at most {_options.MaxSessionTtl.TotalSeconds} s")
        : null;

    internal IReadOnlyList<Session> SessionsOfTask(long taskId, int attempt) =>
        _sessionsOfTasks.TryGetValue(taskId, out var sessions) ? [.. sessions.Where(session => session.Task!.Attempt == attempt)] : [];

    /// <summary>Scans all sessions: workers die seldom, and an index would cost every task that takes a lock.</summary>
    internal IReadOnlyList<Session> SessionsOfWorker(string worker) => [.. _sessions.Values.Where(session => session.Task?.Worker == worker)];

    internal IReadOnlyList<Session> SessionsOfCredential(string credential) =>
        [.. _sessions.Values.Where(session => session.Task is null && session.Client?.Credential == credential)];

    internal void EndSession(Session session, SessionEndCause cause, string message) => End([session], cause, message);

    /// <summary>
    /// A task attempt's session has no secret of its own: clients that act for tasks may use it. Any other session needs the
    /// credential that it was created with.
    /// </summary>
    private static bool MayUse(Session session, ClientObjectQuota client) =>
        session.Task is not null ? client.ActsForTasks : session.Client is not { } owner || owner.Credential == client.Credential;

    private static ObjectError NotItsOwn(Session session) => new(
        ObjectErrorReason.PermissionDenied,
        session.Task is null ? $"{session} was created with another credential, and can be used with that one only" : $"{session} is for the worker that runs its task")
    {
        Field = "session_id",
    };

    private ObjectError? ValidateSession(ClientObjectQuota? client, bool isTask)
    {
        var most = isTask ? _options.MaxSessions : _options.MaxSessions - _options.SessionsForTasks;
        if (_sessions.Count >= most)
        {
            return new ObjectError(
                ObjectErrorReason.LimitExceeded,
                $"there are {_sessions.Count} sessions, the most that may exist at once{(isTask ? "" : $" without the {_options.SessionsForTasks} that are kept for tasks")} (objects.sessions)")
            {
                Field = "session_id",
            };
        }

        return client is null || client.Sessions < _options.MaxSessionsPerClient
            ? null
            : new ObjectError(
                ObjectErrorReason.LimitExceeded,
                $"client {client.Name} has {client.Sessions} sessions, the most that one client may have at once (sessions_per_client), those of its tasks and of its holds without a session included")
            {
                Subject = client.Name,
            };
    }

    private Session Open(ClientObjectQuota? client, string displayName, TimeSpan? ttl, SessionTask? task, bool isImplicit, string? id = null)
    {
        var session = new Session(++_sequence, id ?? _options.SessionIds(++_sessionNumber), displayName, ttl, task) { IsImplicit = isImplicit, Client = client };
        client?.Sessions += 1;
        _sessions.Add(session.Id, session);
        return session;
    }

    private void RestartTtl(Session session) =>
        _deadlines.Set(session, session.Attachments > 0 || session.Ttl is not { } ttl ? long.MaxValue : After(ttl));

    private void Expire(Session session)
    {
        var what = session.IsImplicit ? "its lease" : "without a sign of life its time to live";
        EndSession(session, SessionEndCause.Expired, $"{what} of {session.Ttl!.Value.TotalSeconds} s passed");
    }

    /// <summary>
    /// First all sessions leave their waiting lists, then their holds are released to others: so nothing is granted to a session that ends
    /// in the same instant.
    /// </summary>
    private void End(IReadOnlyList<Session> sessions, SessionEndCause cause, string message)
    {
        var ended = sessions.Where(session => TryClose(session, new SessionEnd(cause, message))).ToArray();
        var left = new List<Wait>();
        foreach (var session in ended)
        {
            var lost = session.WaitCount > 0 ? ObjectError.SessionLost(session) : null;
            while (session.FirstWait is { } wait)
            {
                Resume(wait, lost!);
                left.Add(wait);
            }
        }

        foreach (var session in ended)
        {
            while (session.FirstHold is { } hold)
            {
                NotifyLost(hold);
                hold.Object.OnHolderGone(this, hold);
            }
        }

        foreach (var wait in left)
            wait.Object.OnWaiterLeft(this, wait);
    }

    /// <summary>Unregisters a session; false if it was unregistered before.</summary>
    private bool TryClose(Session session, SessionEnd end)
    {
        if (session.HasEnded)
            return false;
        session.End = end;
        session.Client?.Sessions -= 1;
        _deadlines.Remove(session);
        _sessions.Remove(session.Id);
        session.Operations?.Clear();
        session.Requests?.Clear();
        session.Operations = null;
        session.Requests = null;
        if (session.Task is { } task && _sessionsOfTasks.TryGetValue(task.TaskId, out var siblings) && siblings.Remove(session) && siblings.Count == 0)
            _sessionsOfTasks.Remove(task.TaskId);
        _effects.EndedSessions.Add(session);
        if (end.Cause != SessionEndCause.Closed)
            RememberLost(session);
        if (MustBeTold(session, end))
            _effects.Notices.Add(new ObjectNotice(session, ObjectErrorReason.SessionLost, "", $"{session} has ended: {end.Message}"));
        return true;
    }

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
        if (_lostByAge.Count > _options.MaxLostSessions)
            _lost.Remove(_lostByAge.Dequeue().Id);
    }

    /// <summary>An implicit session exists only for its hold.</summary>
    private void RetireIfEmpty(Session? session)
    {
        if (session is { IsImplicit: true, HoldCount: 0, WaitCount: 0, HasEnded: false })
            TryClose(session, new SessionEnd(SessionEndCause.Closed, "it held nothing any more"));
    }
}
