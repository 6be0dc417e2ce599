using Orchestrator.Core.Sessions;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Objects;

/// <summary>The operation was not done, and nothing was taken or changed.</summary>
/// <param name="Reason">The reason, stable for programs.</param>
/// <param name="Message">For people: the value that was wrong, and what would be right.</param>
public sealed record ObjectError(ObjectErrorReason Reason, string Message) : ObjectOutcome
{
    /// <summary>The request field that is wrong, as the contract spells it; empty where it is not about one.</summary>
    public string Field { get; init; } = "";

    /// <summary>For a limit: the client that met its own; empty where it is everybody's.</summary>
    public string Subject { get; init; } = "";

    /// <summary>For <see cref="ObjectErrorReason.Deadlock"/>: who waits for whom, back to the start.</summary>
    public DeadlockCycle? Cycle { get; init; }

    /// <summary>For <see cref="ObjectErrorReason.Stale"/>: the object's version now.</summary>
    public ulong? CurrentVersion { get; init; }

    internal static ObjectError Cancelled { get; } = new(ObjectErrorReason.Cancelled, "the wait was cancelled by its caller; nothing was taken");

    /// <summary>No session has this id, or it ended so long ago that why is forgotten.</summary>
    public static ObjectError UnknownSession(string id) =>
        new(ObjectErrorReason.SessionLost, $"there is no session \"{Shorten(id)}\": it was never created here, or it has ended; create a new one")
        {
            Field = "session_id",
        };

    /// <summary>The engine threw, which is a defect; whether the command was done is not known.</summary>
    public static ObjectError Unexpected(Exception exception) => new(
        ObjectErrorReason.None, $"the coordinator failed inside ({exception?.GetType().Name}), and it is not known whether this was done; its log says more");

    internal static ObjectError SessionLost(Session session) =>
        new(ObjectErrorReason.SessionLost, $"{session} has ended: {session.End?.Message}; create a new one") { Field = "session_id" };

    internal static ObjectError NotFound(ObjectKind kind, string name, string remedy) =>
        ObjectQuota.ValidateName(kind, name)
            ?? new ObjectError(ObjectErrorReason.NotFound, $"there is no {kind.Noun()} \"{name}\": {remedy}") { Field = kind.Field() };

    internal static ObjectError Mismatch(string field, string message) => new(ObjectErrorReason.KindMismatch, message) { Field = field };

    internal static ObjectError Invalid(string field, string message) => new(ObjectErrorReason.Invalid, message) { Field = field };

    /// <summary>A value from outside, short enough for a message.</summary>
    internal static string Shorten(string value) => value.Length <= 64 ? value : $"{value[..64]}…";
}
