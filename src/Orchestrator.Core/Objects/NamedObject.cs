using Orchestrator.Core.Sessions;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Objects;

/// <summary>An object addressed by its kind and name: who holds it, who waits for it, and what happens when one of them goes.</summary>
internal abstract class NamedObject(ObjectKind kind, string name)
{
    public ObjectKind Kind => kind;

    public string Name => name;

    /// <summary>Whose request brought it into being; null where no client is known.</summary>
    public ClientObjectQuota? Client { get; set; }

    /// <summary>Whether anybody waits here, or waits elsewhere for who holds this.</summary>
    public abstract bool HasWaiters { get; }

    /// <summary>What its state is, in a few words for people.</summary>
    public virtual string Describe() => "";

    /// <summary>Who holds something of it.</summary>
    public virtual IEnumerable<Hold> Holds => [];

    /// <summary>Who waits here, in the order of service; null is nobody.</summary>
    public virtual WaiterQueue? Waiters => null;

    /// <summary>Whether anybody may have to wait for this wait to be served and done.</summary>
    public virtual bool IsWaitedFor(Wait wait) => wait.Next is not null;

    /// <summary>Adds whom this wait waits for; nobody where that is unknown, since then anybody may end it.</summary>
    public virtual void AddBlockers(Wait wait, Blockers blockers)
    {
    }

    /// <summary>The wait's timeout has passed. By default it ends with the command's <see cref="WaitingCommand.TimedOut"/>.</summary>
    public virtual void OnTimeout(ObjectEngine engine, Wait wait)
    {
        engine.Resume(wait, wait.Command.TimedOut);
        OnWaiterLeft(engine, wait);
    }

    /// <summary>
    /// A wait has gone without having been served: serve those whom it kept waiting, and drop the object if nothing needs it. Also called for an
    /// object that has been dropped meanwhile.
    /// </summary>
    public abstract void OnWaiterLeft(ObjectEngine engine, Wait wait);

    /// <summary>The time of its <see cref="ObjectTimer"/> has come.</summary>
    public virtual void OnTimer(ObjectEngine engine)
    {
    }

    /// <summary>
    /// What the wait has achieved so far, as an outcome, where that stays when the wait is cancelled or its caller goes: a put of which some items
    /// were taken in. Null where nothing was.
    /// </summary>
    public virtual ObjectOutcome? PartialOutcome(Wait wait) => null;

    /// <summary>The holder's session has ended: take the hold from it (<see cref="ObjectEngine.RemoveHold"/>) and settle it.</summary>
    public virtual void OnHolderGone(ObjectEngine engine, Hold hold) => engine.RemoveHold(hold);

    /// <summary>Such as <c>locks/build</c>.</summary>
    public string QualifiedName => kind.Qualify(name);

    /// <summary>For messages: such as <c>lock "build"</c>.</summary>
    public sealed override string ToString() => $"{kind.Noun()} \"{name}\"";
}

/// <summary>Something that a session holds of an object, to be settled when the session ends. A link of the session's list.</summary>
internal abstract class Hold(Session session, NamedObject @object, string flow, long since)
{
    public Session Session => session;

    public NamedObject Object => @object;

    /// <summary>Which of the session's flows holds it; of none in particular where several have a share.</summary>
    public SessionFlow Flow { get; private set; } = new(session, flow);

    /// <summary>When it was granted, on the engine's clock, in ticks of 100 ns.</summary>
    public long Since => since;

    /// <summary>Its fencing token; 0 where the object has none.</summary>
    public virtual ulong Token => 0;

    /// <summary>More of it was granted, to this flow.</summary>
    public void ShareWith(string flow)
    {
        if (Flow.Name != flow)
            Flow = new SessionFlow(Session, "");
    }

    internal Hold? SessionPrevious;
    internal Hold? SessionNext;
}
