namespace Orchestrator.Core.Kernel;

/// <summary>Creates a session. When the outcome is undone, the session ends.</summary>
/// <param name="DisplayName">For people.</param>
/// <param name="Ttl">How long it lives without a sign of life; null takes the default, or no end of its own where there is a task.</param>
/// <param name="Task">The task attempt it belongs to, if any.</param>
public sealed record CreateSession(string DisplayName, TimeSpan? Ttl = null, SessionTask? Task = null) : ObjectCommand
{
    /// <summary>An id that the host has chosen and that no session has; null makes the engine choose one.</summary>
    public string? Id { get; init; }

    /// <summary>The host's channel to the listener, kept in <see cref="Session.Channel"/>.</summary>
    public object? Channel { get; init; }

    internal override ObjectKind Primitive => ObjectKind.Session;
}

/// <summary>A session was created.</summary>
/// <param name="Created">The session.</param>
public sealed record CreateSessionOutcome(Session Created) : ObjectOutcome;

/// <summary>A sign of life: the session's time to live restarts.</summary>
public sealed record KeepSessionAlive : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Session;
}

/// <summary>The session lives for at least this long.</summary>
/// <param name="Ttl">Null where time does not end it.</param>
public sealed record KeepSessionAliveOutcome(TimeSpan? Ttl) : ObjectOutcome;

/// <summary>A stream keeps the session alive; until as many streams are detached as were attached, time does not end it.</summary>
public sealed record AttachSession : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Session;
}

/// <summary>The session's notices go to this channel from now on.</summary>
/// <param name="Channel">The host's, kept in <see cref="Session.Channel"/>.</param>
public sealed record ReceiveNotices(object Channel) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Session;
}

/// <summary>The stream of an <see cref="AttachSession"/> has ended; with the last stream's end the time to live restarts.</summary>
public sealed record DetachSession : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Session;
}

/// <summary>The session's owner is done: it ends, and its holds are released. Its waits end with SESSION_LOST.</summary>
public sealed record CloseSession : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Session;
}

/// <summary>
/// Asks for the outcome of an operation that the session sent before: the kept one or, while that operation waits, the one that it will end
/// with. It takes no part in that wait. Its own outcome is that outcome, which is not delivered before the changes that it reports are
/// written. While it waits it counts as a wait of its client. Errors: INVALID where the operation is unknown or no longer kept,
/// LIMIT_EXCEEDED, SESSION_LOST.
/// </summary>
/// <param name="Followed">The <see cref="ObjectCommand.OperationId"/> of the earlier operation.</param>
/// <param name="Follower">
/// The id of the operation that is to run then. If the session knows it already, it was executed before, as when a client sends it again
/// after a broken connection: the outcome is <see cref="Done"/>, whatever became of the earlier one.
/// </param>
/// <param name="Bytes">The size of the operation that is held back meanwhile.</param>
public sealed record FollowOperation(ulong Followed, ulong Follower, long Bytes) : ObjectCommand
{
    /// <summary>The wait whose end it awaits; null if it awaits none.</summary>
    internal Wait? Awaited { get; set; }

    /// <summary>Whether its outcome is not wanted any more.</summary>
    internal bool IsStopped { get; set; }

    internal override long ContentBytes => Bytes;

    internal override ObjectKind Primitive => ObjectKind.Session;
}

/// <summary>The outcome of a <see cref="FollowOperation"/> is not wanted any more: it gets none, unless it has had it.</summary>
/// <param name="Follow">The command, applied before or not.</param>
public sealed record StopFollowing(FollowOperation Follow) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Session;
}

/// <summary>
/// Sessions have lost their owner: all their holds are settled by the rule of each object, at once. Sessions that die together are ended by
/// one command, so that none is granted a hold of another one. Sessions that have ended are skipped.
/// </summary>
/// <param name="Sessions">The sessions.</param>
/// <param name="Cause">The cause.</param>
/// <param name="Message">What happened, as in "worker-1#3 was killed by SIGKILL (9)".</param>
public sealed record EndSessions(IReadOnlyList<Session> Sessions, SessionEndCause Cause, string Message) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Session;
}

/// <summary>A task attempt has ended, and its sessions end with it.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Attempt">The attempt.</param>
/// <param name="Message">What happened.</param>
public sealed record EndTaskSessions(long TaskId, int Attempt, string Message) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Session;
}

/// <summary>A worker process has died; all sessions of task attempts on that worker end.</summary>
/// <param name="Worker">Its name and incarnation, such as <c>worker-1#3</c>.</param>
/// <param name="Message">What happened.</param>
public sealed record EndWorkerSessions(string Worker, string Message) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Session;
}

/// <summary>A credential was revoked: every session that was created with it ends. Sessions of tasks continue with their tasks.</summary>
/// <param name="Credential">The credential, see <see cref="ClientObjectQuota.Credential"/>.</param>
public sealed record EndClientSessions(string Credential) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Session;
}

/// <summary>The number of sessions that the command ended.</summary>
/// <param name="Ended">How many.</param>
public sealed record EndSessionsOutcome(int Ended) : ObjectOutcome;
