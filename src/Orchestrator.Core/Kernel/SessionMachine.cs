namespace Orchestrator.Core.Kernel;

/// <summary>
/// Executes the commands that concern sessions rather than an object: their creation, life and end, the cancel of their operations, and the
/// return of what could not be delivered.
/// </summary>
internal sealed class SessionMachine(ObjectKernel kernel, KernelOptions options) : PrimitiveMachine(kernel)
{
    private SessionTable Sessions => kernel.Sessions;

    public override void Apply(ObjectCommand command)
    {
        switch (command)
        {
            case CreateSession create:
                Create(create);
                break;
            case KeepSessionAlive keep:
                KeepAlive(keep);
                break;
            case AttachSession:
                Attach(command, +1);
                break;
            case DetachSession:
                Attach(command, -1);
                break;
            case ReceiveNotices receive:
                if (receive.Session is { } receiver)
                    receiver.Channel = receive.Channel;
                kernel.Complete(receive, Done.Instance);
                break;
            case CloseSession close:
                Close(close);
                break;
            case EndSessions end:
                End(end, end.Sessions, end.Cause, end.Message);
                break;
            case EndTaskSessions end:
                End(end, Sessions.OfTask(end.TaskId, end.Attempt), SessionEndCause.TaskEnded, end.Message);
                break;
            case EndWorkerSessions end:
                End(end, Sessions.OfWorker(end.Worker), SessionEndCause.WorkerLost, end.Message);
                break;
            case EndClientSessions end:
                End(end, Sessions.OfCredential(end.Credential), SessionEndCause.Revoked, $"the credential '{end.Credential}' was revoked");
                break;
            case CancelOperations cancel:
                kernel.Complete(cancel, Done.Instance);
                kernel.Waits.Cancel(cancel.Session, cancel.OperationIds);
                break;
            case FollowOperation follow:
                kernel.Followers.Follow(follow);
                break;
            case StopFollowing stop:
                kernel.Complete(stop, Done.Instance);
                kernel.Followers.Stop(stop.Follow);
                break;
            case CompensateDelivery undelivered:
                Compensate(undelivered);
                break;
            default:
                throw NotMine(command);
        }
    }

    public override void Undo(ObjectCommand command, ObjectOutcome outcome)
    {
        if (outcome is CreateSessionOutcome { Created: var session })
            End([session], SessionEndCause.Closed, "its creator never received its id");
    }

    /// <summary>The session's time to live has passed.</summary>
    public void Expire(Session session)
    {
        var what = session.IsImplicit ? "its lease" : "without a sign of life its time to live";
        End([session], SessionEndCause.Expired, $"{what} of {session.Ttl!.Value.TotalSeconds} s passed");
    }

    /// <summary>No command waits for a session.</summary>
    public override void OnWaiterLeft(Wait wait)
    {
    }

    private void Create(CreateSession command)
    {
        var wrong = Sessions.ValidateTtl("ttl", command.Ttl) ?? Sessions.ValidateNew(command.Client, isTask: command.Task is not null);
        if (wrong is not null)
        {
            kernel.Complete(command, wrong);
            return;
        }

        var ttl = command.Ttl ?? (command.Task is null ? options.DefaultSessionTtl : null);
        var session = Sessions.Open(command.Client, command.DisplayName, ttl, command.Task, isImplicit: false, command.Id);
        session.Channel = command.Channel;
        Sessions.RestartTtl(session);
        kernel.Complete(command, new CreateSessionOutcome(session));
    }

    private void KeepAlive(KeepSessionAlive command)
    {
        if (command.Session is not { } session)
        {
            kernel.Complete(command, ObjectError.Invalid("session_id", "session_id must name the session to keep alive"));
            return;
        }

        Sessions.RestartTtl(session);
        kernel.Complete(command, new KeepSessionAliveOutcome(session.Ttl));
    }

    private void Attach(ObjectCommand command, int change)
    {
        if (command.Session is { } session)
        {
            session.Attachments = Math.Max(0, session.Attachments + change);
            Sessions.RestartTtl(session);
        }

        kernel.Complete(command, Done.Instance);
    }

    private void Close(CloseSession command)
    {
        if (command.Session is not { } session)
        {
            kernel.Complete(command, ObjectError.Invalid("session_id", "session_id must name the session to close"));
            return;
        }

        kernel.Complete(command, Done.Instance);
        End([session], SessionEndCause.Closed, "it was closed");
    }

    private void End(ObjectCommand command, IReadOnlyList<Session> sessions, SessionEndCause cause, string message)
    {
        kernel.Complete(command, new EndSessionsOutcome(sessions.Count(session => !session.HasEnded)));
        End(sessions, cause, message);
    }

    /// <summary>
    /// First all sessions leave their waiting lists, then their holds are released to others: so nothing is granted to a session that ends
    /// in the same instant.
    /// </summary>
    private void End(IReadOnlyList<Session> sessions, SessionEndCause cause, string message)
    {
        var ended = sessions.Where(session => Sessions.TryClose(session, new SessionEnd(cause, message))).ToArray();
        var left = new List<Wait>();
        foreach (var session in ended)
        {
            var lost = session.WaitCount > 0 ? ObjectError.SessionLost(session) : null;
            while (session.FirstWait is { } wait)
            {
                kernel.Resume(wait, lost!);
                left.Add(wait);
            }
        }

        foreach (var session in ended)
        {
            while (session.FirstHold is { } hold)
            {
                Sessions.NotifyLost(hold);
                kernel.Machines.Of(hold.Object).OnHolderEnded(hold);
            }
        }

        foreach (var wait in left)
            kernel.Machines.Of(wait.Object).OnWaiterLeft(wait);
    }

    private void Compensate(CompensateDelivery command)
    {
        kernel.Complete(command, Done.Instance);
        if (command.Delivery.Granted is not { CanBeUndone: true } granted || !kernel.Replays.IsLastDelivery(granted))
            return;
        kernel.Replays.Forget(granted);
        kernel.Machines.Of(granted).Undo(granted, command.Delivery.Outcome);
    }
}
