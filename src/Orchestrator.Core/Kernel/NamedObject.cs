namespace Orchestrator.Core.Kernel;

/// <summary>An object addressed by its kind and name: its state, its holders and its waiters. The machine of its kind changes it.</summary>
internal abstract class NamedObject(ObjectKind kind, string name)
{
    public ObjectKind Kind => kind;

    public string Name => name;

    /// <summary>The client whose request created it; null where no client is known.</summary>
    public ClientObjectQuota? Client { get; set; }

    /// <summary>The credential of its creator; empty for the coordinator's owner.</summary>
    public string Owner => Client?.Credential ?? "";

    /// <summary>Whether any command waits here, or waits elsewhere for a holder of this object.</summary>
    public abstract bool HasWaiters { get; }

    /// <summary>Its state in a few words, for people.</summary>
    public virtual string Describe() => "";

    /// <summary>The holds on this object.</summary>
    public virtual IEnumerable<Hold> Holds => [];

    /// <summary>The waiters, in the order of service; null where there are none.</summary>
    public virtual WaiterQueue? Waiters => null;

    /// <summary>Whether another wait may depend on this one being served and done.</summary>
    public virtual bool IsWaitedFor(Wait wait) => wait.Next is not null;

    /// <summary>Adds the sessions that this wait waits for; none where they are unknown, since then any session may end the wait.</summary>
    public virtual void AddBlockers(Wait wait, Blockers blockers)
    {
    }

    /// <summary>
    /// The wait's progress so far, as an outcome, where it remains in effect when the wait is cancelled or its caller disconnects: a put
    /// whose first items were accepted. Null without progress.
    /// </summary>
    public virtual ObjectOutcome? PartialOutcome(Wait wait) => null;

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

    /// <summary>The session's flow that holds it; no particular one where several flows share the hold.</summary>
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
