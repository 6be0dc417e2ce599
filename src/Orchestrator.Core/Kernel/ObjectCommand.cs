namespace Orchestrator.Core.Kernel;

/// <summary>
/// A request to the engine. Exactly one outcome per command appears in <see cref="ObjectEffects.Outcomes"/>, in the same
/// <c>ObjectEngine.Apply</c> or in a later call. The host sets the settable properties before it applies the command; they stay unchanged
/// from then on.
/// </summary>
public abstract record ObjectCommand
{
    /// <summary>The session on whose behalf the command acts; null where the caller named none.</summary>
    public Session? Session { get; set; }

    /// <summary>The client that sends the command, for its quotas; null is the coordinator itself.</summary>
    public ClientObjectQuota? Client { get; set; }

    /// <summary>
    /// The charged client: that of the session if there is one; a task's session is charged to the client that submitted the
    /// task.
    /// </summary>
    internal ClientObjectQuota? Quota => Session is { } session ? session.Client : Client;

    /// <summary>The receiver of the outcome. Opaque to the engine.</summary>
    public object? Caller { get; set; }

    /// <summary>Which of the caller's operations it is. Opaque to the engine.</summary>
    public ulong Tag { get; set; }

    /// <summary>Unique within the session: a command that repeats one is answered with the first outcome. Needs a session.</summary>
    public ulong? OperationId { get; set; }

    /// <summary>
    /// The session's independent flow of work that sends the command, such as one of its threads; empty where it is not given. Only
    /// deadlock detection uses it: see <see cref="WaitGraph"/>.
    /// </summary>
    public string Flow { get; init; } = "";

    /// <summary>Idempotency key; empty is none. Scoped to the session, or to the client for commands without one.</summary>
    public string RequestId { get; init; } = "";

    /// <summary>Whether a repetition of it would be known: only then it needs a look at the kept outcomes.</summary>
    internal bool HasId => OperationId is not null || RequestId.Length > 0;

    /// <summary>The bytes of content that it adds; 0 for none.</summary>
    internal virtual long ContentBytes => 0;

    /// <summary>The first content that is larger than a limit: its field, as the contract spells it, and its size.</summary>
    /// <param name="limit">The most bytes.</param>
    internal virtual (string Field, int Bytes)? FindLarge(int limit) => null;

    private protected static (string Field, int Bytes)? FirstAbove<T>(
        int limit, IReadOnlyList<T> items, Func<T, int> bytesOf, Func<T, int, string> fieldOf)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if (bytesOf(items[i]) is var bytes && bytes > limit)
                return (fieldOf(items[i], i), bytes);
        }

        return null;
    }

    /// <summary>The kind of the objects that it is for: the machine of that kind executes it.</summary>
    internal abstract ObjectKind Primitive { get; }

    /// <summary>
    /// Whether an undelivered outcome undoes the command, as with all grants. If false, as for a change that others may have seen, the
    /// outcome is kept for a repeated id.
    /// </summary>
    internal virtual bool CanBeUndone => true;

    /// <summary>
    /// Whether its outcome is kept for <see cref="KernelOptions.BriefReplayWindow"/> only, since it holds items that were
    /// taken permanently.
    /// </summary>
    internal virtual bool IsKeptBriefly => false;
}

/// <summary>A command that may have to wait.</summary>
public abstract record WaitingCommand : ObjectCommand
{
    /// <summary>How long it may wait. Null waits without limit, zero is one attempt, negative is an error.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The outcome after the timeout.</summary>
    internal abstract ObjectOutcome TimedOut { get; }

    /// <summary>The error in its timeout; null if it is valid.</summary>
    internal ObjectError? ValidateTimeout() => Timeout < TimeSpan.Zero
        ? ObjectError.Invalid(
            "timeout", $"the timeout of {Timeout.Value.TotalSeconds} s must be absent, to wait without end, or at least zero")
        : null;
}

/// <summary>
/// An outcome could not be delivered because its caller has disconnected: its grant is returned to the front as if it had never been made.
/// If the request was repeated and answered again, the grant is returned only when none of its callers got the answer. An operation id
/// whose session is still alive needs no compensation: a client that resumes the session asks for the outcome again. Each command documents
/// its own rule.
/// </summary>
/// <param name="Delivery">The delivery, as taken from the effects.</param>
public sealed record CompensateDelivery(ObjectDelivery Delivery) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Session;
}

/// <summary>
/// Cancels the waits of these operations of the session: each that still waits ends with <see cref="ObjectErrorReason.Cancelled"/>; the
/// others have had their outcome.
/// </summary>
/// <param name="OperationIds">The <see cref="ObjectCommand.OperationId"/>s.</param>
public sealed record CancelOperations(IReadOnlyList<ulong> OperationIds) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Session;
}
