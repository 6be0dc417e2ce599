namespace Orchestrator.Core.Kernel;

/// <summary>The operation was not done, and nothing was taken or changed.</summary>
/// <param name="Reason">The reason, stable for programs.</param>
/// <param name="Message">For people: the value that was wrong, and a correct one.</param>
public sealed record ObjectError(ObjectErrorReason Reason, string Message) : ObjectOutcome
{
    /// <summary>The request field that is wrong, as the contract spells it; empty where the error concerns no field.</summary>
    public string Field { get; init; } = "";

    /// <summary>For a limit: the client that reached its own limit; empty where the limit applies to all clients.</summary>
    public string Subject { get; init; } = "";

    /// <summary>For <see cref="ObjectErrorReason.Deadlock"/>: the cycle of waits, back to the start.</summary>
    public DeadlockCycle? Cycle { get; init; }

    /// <summary>For <see cref="ObjectErrorReason.Stale"/>: the object's current version.</summary>
    public ulong? CurrentVersion { get; init; }

    /// <inheritdoc/>
    public override bool IsSuccess => false;

    internal static ObjectError Cancelled { get; } = new(
        ObjectErrorReason.Cancelled, "the wait was cancelled by its caller; nothing was taken");

    /// <summary>No session has this id, or it ended so long ago that the cause is no longer kept.</summary>
    public static ObjectError UnknownSession(string id) =>
        new(ObjectErrorReason.SessionLost,
            $"there is no session \"{Shorten(id)}\": it was never created here, or it has ended; create a new one")
        {
            Field = "session_id",
        };

    /// <summary>The engine threw, which is a defect; whether the command was executed is unknown.</summary>
    public static ObjectError Unexpected(Exception exception) => new(
        ObjectErrorReason.None,
        $"the coordinator failed internally ({exception?.GetType().Name}); whether this was done is unknown; see its log");

    internal static ObjectError SessionLost(Session session) =>
        new(ObjectErrorReason.SessionLost, $"{session} has ended: {session.End?.Message}; create a new one") { Field = "session_id" };

    internal static ObjectError NotFound(ObjectKind kind, string name, string remedy) =>
        ObjectQuota.ValidateName(kind, name)
            ?? new ObjectError(ObjectErrorReason.NotFound, $"there is no {kind.Noun()} \"{name}\": {remedy}") { Field = kind.Field() };

    internal static ObjectError Mismatch(string field, string message) => new(ObjectErrorReason.KindMismatch, message) { Field = field };

    internal static ObjectError Invalid(string field, string message) => new(ObjectErrorReason.Invalid, message) { Field = field };

    /// <summary>An external value, shortened for a message.</summary>
    internal static string Shorten(string value) => value.Length <= 64 ? value : $"{value[..64]}…";
}
