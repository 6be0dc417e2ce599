using Orchestrator.Core.Sessions;

namespace Orchestrator.Core.Objects;

/// <summary>
/// Something that is asked of the engine. Its outcome comes in <see cref="ObjectEffects.Outcomes"/>, exactly one per command, in the
/// same <see cref="ObjectEngine.Apply"/> or in a later call. What can be set is for the host, before it applies the command, and stays from then on.
/// </summary>
public abstract record ObjectCommand
{
    /// <summary>The session on whose behalf; null where the caller named none.</summary>
    public Session? Session { get; set; }

    /// <summary>Who asks, for its shares; null is the coordinator itself.</summary>
    public ClientObjectQuota? Client { get; set; }

    /// <summary>On whose account: that of the session's client, as a task's session is on that of who submitted it.</summary>
    internal ClientObjectQuota? Account => Session is { } session ? session.Client : Client;

    /// <summary>Whom the outcome belongs to. Opaque to the engine.</summary>
    public object? Caller { get; set; }

    /// <summary>Which of the caller's operations it is. Opaque to the engine.</summary>
    public ulong Tag { get; set; }

    /// <summary>Unique within the session: a command that repeats one is answered with the first one's outcome. Needs a session.</summary>
    public ulong? OperationId { get; set; }

    /// <summary>
    /// Which of the session's independent flows of work asks, such as one of its threads; empty where it does not say. Only the search for deadlocks looks at it: see
    /// <see cref="Waits.WaitGraph"/>.
    /// </summary>
    public string Flow { get; init; } = "";

    /// <summary>Idempotency key; empty is none. Within the session, or among its client's commands without one.</summary>
    public string RequestId { get; init; } = "";

    /// <summary>The bytes that it brings, to be kept; 0 where it brings none.</summary>
    internal virtual long ContentBytes => 0;

    /// <summary>Does it: <see cref="ObjectEngine.Complete(ObjectCommand, ObjectOutcome)"/> once, or <see cref="ObjectEngine.Suspend"/>.</summary>
    internal abstract void ApplyTo(ObjectEngine engine);

    /// <summary>
    /// Whether an outcome that nobody took undoes the command, as with all that is granted. Where not, as with a change that others may have seen, the
    /// outcome is kept for the id that is sent again.
    /// </summary>
    internal virtual bool CanBeUndone => true;

    /// <summary>Whether its outcome is kept for <see cref="ObjectEngineOptions.BriefReplayWindow"/> only, since it holds what was taken for good.</summary>
    internal virtual bool IsKeptBriefly => false;

    /// <summary>Undoes what this command was granted, where it was granted something.</summary>
    internal virtual void Undo(ObjectEngine engine, ObjectOutcome outcome)
    {
    }
}

/// <summary>A command that may have to wait.</summary>
public abstract record WaitingCommand : ObjectCommand
{
    /// <summary>How long it may wait. Null waits without end, zero is one attempt, less is an error.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The outcome when the timeout has passed.</summary>
    internal abstract ObjectOutcome TimedOut { get; }
}

/// <summary>
/// An outcome could not be handed to its caller, who has gone: what it granted is given back as if it had not been granted, to the front. Where the request was sent again
/// and answered once more, only when none of its callers got the answer.
/// An operation id whose session lives on needs none: whoever resumes the session asks for its outcome again. The rule per command stands
/// at the command.
/// </summary>
/// <param name="Delivery">The delivery, as it came out of the effects.</param>
public sealed record CompensateDelivery(ObjectDelivery Delivery) : ObjectCommand
{
    internal override void ApplyTo(ObjectEngine engine)
    {
        engine.Complete(this, Done.Instance);
        if (Delivery.Granted is not { CanBeUndone: true } granted || !engine.IsLastDelivery(granted))
            return;
        engine.Forget(granted);
        granted.Undo(engine, Delivery.Outcome);
    }
}

/// <summary>
/// Give up waiting for these operations of the session: each that still waits ends with <see cref="ObjectErrorReason.Cancelled"/>; the others
/// have had their outcome.
/// </summary>
/// <param name="OperationIds">The <see cref="ObjectCommand.OperationId"/>s.</param>
public sealed record CancelOperations(IReadOnlyList<ulong> OperationIds) : ObjectCommand
{
    internal override void ApplyTo(ObjectEngine engine) => engine.OnCancelOperations(this);
}
