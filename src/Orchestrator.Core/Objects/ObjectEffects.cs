using Orchestrator.Core.Journal;
using Orchestrator.Core.Sessions;

namespace Orchestrator.Core.Objects;

/// <summary>
/// What the shell has to do after a command, as data. One instance is reused under the engine's lock: take what it holds, then
/// <see cref="Clear"/> it.
/// </summary>
public sealed class ObjectEffects
{
    /// <summary>Outcomes to hand to their callers, in the order in which they came about. Those of one command's own come first.</summary>
    public List<ObjectDelivery> Outcomes { get; } = [];

    /// <summary>What sessions must be told, if they still listen.</summary>
    public List<ObjectNotice> Notices { get; } = [];

    /// <summary>Sessions that have ended; nothing will be granted to them any more.</summary>
    public List<Session> EndedSessions { get; } = [];

    /// <summary>What durable objects have become: to be written down before the outcomes leave. In order.</summary>
    public List<ObjectChange> Changes { get; } = [];

    /// <summary>The highest level among <see cref="Changes"/>, which all of them are written with.</summary>
    public Durability Level { get; internal set; } = Durability.Memory;

    /// <summary>An outcome may speak of a durable object: it must not leave before what was changed earlier is written.</summary>
    public bool SpeaksOfDurable { get; internal set; }

    /// <summary>Empties it for the next command.</summary>
    public void Clear()
    {
        Outcomes.Clear();
        Notices.Clear();
        EndedSessions.Clear();
        ClearChanges();
    }

    /// <summary>Forgets the changes, which have been taken.</summary>
    public void ClearChanges()
    {
        Changes.Clear();
        Level = Durability.Memory;
        SpeaksOfDurable = false;
    }
}

/// <summary>The one outcome of a command.</summary>
/// <param name="Caller">Whom it belongs to, as the command said; null where nobody wants it.</param>
/// <param name="Tag">Which of the caller's operations it belongs to.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Granted">
/// The command, by which a grant that cannot be handed over goes back (<see cref="CompensateDelivery"/>); null where there is nothing to give back, as
/// for an outcome that was delivered before.
/// </param>
public readonly record struct ObjectDelivery(object? Caller, ulong Tag, ObjectOutcome Outcome, ObjectCommand? Granted = null);

/// <summary>Something that a session must know without having asked.</summary>
/// <param name="Session">Whom to tell.</param>
/// <param name="Reason">Why.</param>
/// <param name="ObjectName">The object concerned, such as <c>locks/build</c>; empty for the session itself.</param>
/// <param name="Message">For people.</param>
public readonly record struct ObjectNotice(Session Session, ObjectErrorReason Reason, string ObjectName, string Message);
